"""Language model fixtures: the backbone alone in every file format, and the omni step with its audio side files."""

import torch

from reference import omni
from reference.language_model import LanguageModel
from .common import randomise, round_to, state, write_json, write_tensors

CONFIG = {
    "architectures": ["LongcatFlashForCausalLM"],
    "model_type": "longcat_flash",
    "hidden_size": 24,
    "num_layers": 2,
    "num_attention_heads": 2,
    "q_lora_rank": 12,
    "kv_lora_rank": 8,
    "qk_nope_head_dim": 8,
    "qk_rope_head_dim": 4,
    "v_head_dim": 6,
    "head_dim": 4,
    "ffn_hidden_size": 40,
    "expert_ffn_hidden_size": 12,
    "n_routed_experts": 6,
    "zero_expert_num": 3,
    "zero_expert_type": "identity",
    "moe_topk": 3,
    "routed_scaling_factor": 6.0,
    "norm_topk_prob": False,
    "router_bias": False,
    "attention_bias": False,
    "hidden_act": "silu",
    "rms_norm_eps": 1e-5,
    "mla_norm_eps": 1e-6,
    "mla_scale_q_lora": True,
    "mla_scale_kv_lora": True,
    "rope_theta": 10000.0,
    "max_position_embeddings": 256,
    "vocab_size": 152,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "pad_token_id": 3,
    "tie_word_embeddings": False,
    "initializer_range": 0.02,
}
CODE_VOCAB = 48
CLOSE_CALL = 2e-4  # a router choice nearer than this could flip on rounding alone


def cases():
    return {
        "f32": lambda folder: backbone(folder, torch.float32, seed=1),
        "bf16-sharded": lambda folder: backbone(folder, torch.bfloat16, seed=2, shards=2),
        "f16": lambda folder: backbone(folder, torch.float16, seed=3),
        "bias-factor-6": lambda folder: backbone(folder, torch.float32, seed=4, bias=0.05),
        "bias-factor-2": lambda folder: backbone(folder, torch.float32, seed=5, bias=0.05, factor=2.0),
        "speech": lambda folder: speech(folder, seed=6),
    }


def build(seed, bias=0.0, factor=6.0):
    config = {**CONFIG, "routed_scaling_factor": factor}
    lm = LanguageModel(config).eval()
    randomise(lm, seed)
    for name, p in lm.named_parameters():
        if "embed_tokens" in name:
            p.data.mul_(CONFIG["hidden_size"] ** 0.5)
        if "router.classifier" in name:
            p.data.mul_(2.0)
    generator = torch.Generator().manual_seed(seed + 1000)
    for layer in lm.model.layers:
        b = layer.mlp.router.e_score_correction_bias
        b.copy_(torch.randn(b.shape, generator=generator) * bias)
    return lm, config


def routing(lm, tensors):
    for i, layer in enumerate(lm.model.layers):
        index, order = layer.mlp.last_index.sort(-1)
        tensors[f"output.router.{i}.indices"] = index.int()
        tensors[f"output.router.{i}.weights"] = layer.mlp.last_weight.gather(1, order)


def assert_clear_choices(lm, inputs):
    """The k-th and (k+1)-th expert must be apart everywhere."""

    def check(module, args, _):
        p = (
            torch.softmax(torch.nn.functional.linear(args[0], module.classifier.weight), -1)
            + module.e_score_correction_bias
        )
        top = p.topk(module.topk + 1, -1).values
        assert (top[:, -2] - top[:, -1]).min() > CLOSE_CALL, "close call in the router: choose another seed"

    hooks = [layer.mlp.router.register_forward_hook(check) for layer in lm.model.layers]
    lm(inputs)
    for hook in hooks:
        hook.remove()


def save_backbone(folder, lm, config, dtype, shards):
    name = {torch.float32: "float32", torch.bfloat16: "bfloat16", torch.float16: "float16"}[dtype]
    write_json(folder, "config.json", {**config, "torch_dtype": name})
    tensors = state(lm, dtype, keep_float=("e_score_correction_bias",))
    if shards == 1:
        write_tensors(folder, "model.safetensors", tensors, {"format": "pt"})
        return
    names, index = sorted(tensors), {}
    for i in range(shards):
        part = names[i * len(names) // shards : (i + 1) * len(names) // shards]
        file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        write_tensors(folder, file, {n: tensors[n] for n in part}, {"format": "pt"})
        index.update({n: file for n in part})
    size = sum(t.numel() * t.element_size() for t in tensors.values())
    write_json(folder, "model.safetensors.index.json", {"metadata": {"total_size": size}, "weight_map": index})


@torch.no_grad()
def backbone(folder, dtype, seed, shards=1, bias=0.0, factor=6.0):
    lm, config = build(seed, bias, factor)
    round_to(lm, dtype)
    save_backbone(folder, lm, config, dtype, shards)
    generator = torch.Generator().manual_seed(seed + 2000)
    text = torch.randint(4, 130, (14,), generator=generator)
    x = lm.model.embed_tokens(text)[None]
    assert_clear_choices(lm, x)
    layers = []
    hidden = lm(x, keep=layers)[0]
    tensors = {"input.text_ids": text.int(), "output.hidden": hidden, "output.logits": lm.lm_head(hidden)}
    tensors.update({f"output.layer.{i}": y[0] for i, y in enumerate(layers)})
    routing(lm, tensors)
    write_tensors(folder, "case.safetensors", tensors, {"case": "token ids -> hidden states and text logits"})


def prompt(generator):
    """Positions of every kind: text, text with codes, pads, ABSENT, features; ends with plain header text."""
    a, p, pad = omni.ABSENT, omni.CODE_PAD, omni.TEXT_PAD
    text = [
        20,
        21,
        omni.AUDIO_BEGIN,
        omni.AUDIO_PAD,
        omni.AUDIO_PAD,
        omni.AUDIO_END,
        omni.IMAGE_PAD,
        30,
        40,
        41,
        omni.PAUSE,
        pad,
        pad,
        a,
        a,
        50,
        pad,
        a,
        60,
        61,
    ]
    codes = torch.full((len(text), 4), p)
    random = torch.randint(32, CODE_VOCAB, (len(text), 4), generator=generator)
    codes[8] = torch.tensor([int(random[8, 0]), a, a, a])
    codes[9:13] = random[9:13]
    codes[13] = torch.tensor([omni.CODE_END, *random[13, 1:].tolist()])
    codes[14] = torch.tensor([a, a, a, a])
    codes[15] = torch.tensor([int(random[15, 0]), p, p, p])
    codes[17] = torch.tensor([omni.CODE_END, *random[17, 1:].tolist()])
    return torch.tensor(text), codes


@torch.no_grad()
def speech(folder, seed):
    """Searches seeds until a greedy reply passes through both states twice and ends: two segments within 40 steps."""
    for attempt in range(20000):
        lm, config = build(seed + 10 * attempt, bias=0.05)
        audio = omni.AudioEmbeddings(CODE_VOCAB, CONFIG["hidden_size"])
        heads = omni.AudioOutputLayers(CODE_VOCAB, CONFIG["hidden_size"])
        for module, salt in ((audio, 1), (heads, 2)):
            randomise(module, seed + 10 * attempt + salt)
        for table in list(audio.audio_embeddings) + list(heads.embedding):
            table.weight.data.mul_(CONFIG["hidden_size"] ** 0.5)
        for row in (omni.PAUSE, omni.TEXT_EOS):
            lm.lm_head.weight.data[row] *= 1.5
        heads.audio_output_layers[0].weight.data[omni.CODE_END] *= 1.5
        for head in heads.audio_output_layers:
            head.weight.data[omni.CODE_PAD] *= 0.2
        for row in (omni.TEXT_PAD, omni.AUDIO_PAD, omni.IMAGE_PAD):  # ids a trained model never answers with
            lm.lm_head.weight.data[row] *= 0.2
        generator = torch.Generator().manual_seed(attempt)
        text, codes = prompt(generator)
        features = torch.randn(3, CONFIG["hidden_size"], generator=generator)
        x = omni.embed(lm.model.embed_tokens, audio, text[None], codes[None], features)
        steps = omni.generate(lm, audio, heads, x, 40)
        states = "".join(s[4][-1] for s in steps)
        plain = all(s[0] != 3 and 3 not in s[1] for s in steps)
        if plain and len(steps) >= 16 and steps[-1][4] == "END" and "0011" in states and "10011" in states:
            break
    else:
        raise AssertionError("no seed gives a two-segment reply")
    assert_clear_choices(lm, x)
    hidden = lm(x)[0]
    ids, raw = heads.greedy(hidden)
    tensors = {
        "input.text_ids": text.int(),
        "input.codes": codes.int(),
        "input.features": features,
        "output.embeddings": x[0],
        "output.hidden": hidden,
        "output.logits": lm.lm_head(hidden),
        "output.greedy_codes": ids.int(),
        "output.code_logits": raw,
    }
    routing(lm, tensors)
    columns = list(zip(*steps))
    for name, column in zip(("text_candidate", "code_candidates", "text", "codes"), columns):
        tensors[f"output.decode.{name}"] = torch.tensor(column).int()
    save_backbone(folder, lm, config, torch.float32, 1)
    write_tensors(folder, "audio/audio_embeddings.safetensors", state(audio))
    write_tensors(folder, "audio/audio_output_layers.safetensors", state(heads))
    write_tensors(
        folder,
        "case.safetensors",
        tensors,
        {
            "case": "prompt of every kind of position, then a greedy reply with penalties until END",
            "states": " ".join(columns[4]),
        },
    )
