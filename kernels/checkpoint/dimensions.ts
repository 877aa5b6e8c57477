/**
 * The configuration files of a model directory under their official keys (docs/spec/model.md §11); they fix all shapes.
 */
export interface Dimensions {
  readonly languageModel: typeof nanoLanguageModel;
  /** Entries of a codebook; the audio vocabulary has 32 more. */
  readonly codeEntries: number;
  readonly audioEncoder: typeof nanoAudioEncoder;
  readonly vision: typeof nanoVision;
  readonly codec: typeof nanoCodec;
}

const nanoLanguageModel = {
  architectures: ['LongcatFlashForCausalLM'],
  model_type: 'longcat_flash',
  hidden_size: 128,
  num_layers: 4,
  num_attention_heads: 4,
  q_lora_rank: 48,
  kv_lora_rank: 32,
  qk_nope_head_dim: 16,
  qk_rope_head_dim: 8,
  v_head_dim: 16,
  head_dim: 8,
  ffn_hidden_size: 256,
  expert_ffn_hidden_size: 64,
  n_routed_experts: 16,
  zero_expert_num: 8,
  zero_expert_type: 'identity',
  moe_topk: 4,
  routed_scaling_factor: 2,
  rms_norm_eps: 1e-5,
  mla_norm_eps: 1e-6,
  mla_scale_q_lora: true,
  mla_scale_kv_lora: true,
  rope_theta: 10_000,
  max_position_embeddings: 4096,
  vocab_size: 1024,
  bos_token_id: 1,
  eos_token_id: 2,
  pad_token_id: 3,
  torch_dtype: 'bfloat16',
};

const nanoAudioEncoder = {
  input_size: 1200,
  hidden_size: 256,
  proj_size: 96,
  nlayer: 6,
  num_right_layers: 2,
  left_order: 10,
  right_order: 1,
  left_stride: 1,
  right_stride: 1,
  ndnn: 2,
  activation: 'relu6',
  proj_output_dim: 128,
};

const nanoVision = {
  hidden_size: 96,
  num_hidden_layers: 4,
  num_attention_heads: 4,
  intermediate_size: 288,
  patch_size: 14,
  temporal_patch_size: 2,
  num_channels: 3,
  layer_norm_eps: 1e-6,
  rope_theta: 10_000,
  qk_normalization: true,
  qkv_bias: false,
  patch_embedding_bias: true,
  adaptor_dim: 256,
  proj_output_dim: 128,
  resize_factor: 8,
  spatial_merge_size: 1,
  min_tokens: 64,
  max_tokens: 576,
  min_tokens_video_vit: 64,
  max_tokens_video_vit: 576,
};

/** What decoder and encoder of the codec share. */
const nanoQuantizer = {
  codec_dimension: 64,
  semantic_dim: 64,
  semantic_token_nums: 256,
  codec_codebooks: 3,
  codec_codebook_size: 16,
  codec_codebook_search_dim: 8,
};

const fbank = {
  frame_length: 25,
  frame_shift: 10,
  preemphasis: 0.97,
  freq: 16_000,
  low_freq: 40,
  high_freq: -200,
  num_mel_bins: 80,
  dither: 0,
};

export const preprocessor = {
  fbank,
  delta: { order: 0 },
  cmvn: { file: 'global_cmvn.json' },
  splice: { left: 7, right: 7, stride: 8 },
};

const nanoCodec = {
  codec_config: {
    ...nanoQuantizer,
    decoder_dim: 96,
    codec_dec_ratios: [8, 6, 6, 5],
    decoder_type: '24k',
    ckpt_path: 'decoder.safetensors',
  },
  encoder: {
    codec_config: {
      ...nanoQuantizer,
      input_sample_rate: 16_000,
      encoder_dim: 8,
      codec_enc_ratios: [4, 5, 6, 8],
      ckpt_path: 'encoder.safetensors',
    },
    semantic_tokenizer_config: { select_layer: 2, codebook_dim: 96, codebook_size: 256, sample_rate: 16_000 },
    semantic_tokenizer: {
      feature: { fbank, cmvn_file: 'encoder_cmvn.json' },
      encoder: {
        type: 'VGGtf_encoder',
        VGGtf_encoder: {
          feat_dim: 80,
          conv2d_stride: '2,3',
          num_conv_layers: 2,
          d_model: 96,
          nhead: 4,
          num_encoder_layers: 2,
          dim_feedforward: 384,
          activation: 'gelu',
        },
      },
    },
  },
};

/** The miniature of docs/spec/model.md §9. */
export const nanoDimensions: Dimensions = {
  languageModel: nanoLanguageModel,
  codeEntries: 256,
  audioEncoder: nanoAudioEncoder,
  vision: nanoVision,
  codec: nanoCodec,
};

/** As small as the structure allows, for tests that only need everything to be there. */
export const tinyDimensions: Dimensions = {
  languageModel: {
    ...nanoLanguageModel,
    hidden_size: 32,
    num_layers: 1,
    num_attention_heads: 2,
    q_lora_rank: 12,
    kv_lora_rank: 8,
    qk_nope_head_dim: 8,
    qk_rope_head_dim: 4,
    v_head_dim: 8,
    head_dim: 4,
    ffn_hidden_size: 32,
    expert_ffn_hidden_size: 16,
    n_routed_experts: 4,
    zero_expert_num: 2,
    moe_topk: 2,
    vocab_size: 320,
  },
  codeEntries: 16,
  audioEncoder: { ...nanoAudioEncoder, hidden_size: 24, proj_size: 12, nlayer: 3, proj_output_dim: 32 },
  vision: {
    ...nanoVision,
    hidden_size: 16,
    num_hidden_layers: 1,
    num_attention_heads: 2,
    intermediate_size: 24,
    adaptor_dim: 24,
    proj_output_dim: 32,
  },
  codec: tinyCodec(),
};

function tinyCodec(): typeof nanoCodec {
  const quantizer = {
    codec_dimension: 12,
    semantic_dim: 12,
    semantic_token_nums: 16,
    codec_codebooks: 3,
    codec_codebook_size: 4,
    codec_codebook_search_dim: 4,
  };
  const { codec_config: decoder, encoder } = nanoCodec;
  const { VGGtf_encoder: transformer } = encoder.semantic_tokenizer.encoder;
  return {
    codec_config: { ...decoder, ...quantizer, decoder_dim: 32 },
    encoder: {
      codec_config: { ...encoder.codec_config, ...quantizer, encoder_dim: 2 },
      semantic_tokenizer_config: {
        ...encoder.semantic_tokenizer_config,
        codebook_dim: 16,
        codebook_size: 16,
      },
      semantic_tokenizer: {
        ...encoder.semantic_tokenizer,
        encoder: {
          ...encoder.semantic_tokenizer.encoder,
          VGGtf_encoder: { ...transformer, d_model: 16, nhead: 2, dim_feedforward: 24 },
        },
      },
    },
  };
}
