"""Omni input embedding, cascaded code heads, repetition penalty and generation state machine (spec 1.6-1.9)."""

import torch
from torch import nn

ABSENT, CODE_END, CODE_PAD, CODE_OFFSET, CODEBOOKS = -1, 2, 3, 32, 4
TEXT_EOS, TEXT_PAD, AUDIO_BEGIN, AUDIO_END, AUDIO_PAD, PAUSE, IMAGE_PAD = 2, 3, 134, 135, 136, 137, 142


class AudioEmbeddings(nn.Module):
    def __init__(self, code_vocab, width):
        super().__init__()
        self.audio_embeddings = nn.ModuleList(nn.Embedding(code_vocab, width) for _ in range(CODEBOOKS))


class AudioOutputLayers(nn.Module):
    def __init__(self, code_vocab, width):
        super().__init__()
        self.audio_output_layers = nn.ModuleList(nn.Linear(width, code_vocab, bias=False) for _ in range(CODEBOOKS))
        self.embedding = nn.ModuleList(nn.Embedding(code_vocab, width) for _ in range(CODEBOOKS - 1))

    def forward(self, hidden, codes):
        """Teacher-forced logits of all heads: hidden [N, d], codes [N, 4] -> 4 x [N, V]. Negative ids feed nothing."""
        z, out = hidden, []
        for i, head in enumerate(self.audio_output_layers):
            if i > 0:
                known = codes[:, i - 1, None] >= 0
                z = z + self.embedding[i - 1](codes[:, i - 1].clamp(min=0)) * known
            out.append(head(z))
        return out

    def greedy(self, hidden, histories=None):
        """hidden [N, d] -> (ids [N, 4], raw logits [N, 4, V]); histories: [N][4] lists of earlier ids of this
        request."""
        z, ids, raw = hidden, [], []
        for i, head in enumerate(self.audio_output_layers):
            if i > 0:
                z = z + self.embedding[i - 1](ids[-1])
            logits = head(z)
            raw.append(logits)
            if histories is not None:
                logits = torch.stack([penalise(row, histories[n][i]) for n, row in enumerate(logits)])
            ids.append(logits.argmax(-1))
        return torch.stack(ids, 1), torch.stack(raw, 1)


def penalise(logits, history, factor=1.1, window=30):
    """Exponential repetition penalty over the last `window` step entries; absent (negative) ids do not count."""
    recent = torch.tensor([v for v in history[-window:] if v >= 0], dtype=torch.long, device=logits.device)
    alpha = factor ** torch.bincount(recent, minlength=logits.shape[-1]).float()
    return torch.where(logits < 0, logits * alpha, logits / alpha)


def embed(text_table, audio, text, codes, features=None):
    """The prompt rule: text [B, T], codes [B, T, 4], features [K, d] in reading order -> [B, T, d].

    Negative ids contribute nothing, so that recorded steps of a reply can be embedded by the same call.
    """
    no_text = (text < 0) | (text == TEXT_PAD)
    no_code = (codes < 0) | (codes == CODE_PAD)
    out = text_table(text.clamp(min=0)) * (~no_text | ((text == TEXT_PAD) & (codes == CODE_PAD).all(-1)))[..., None]
    for i, table in enumerate(audio.audio_embeddings if audio is not None else []):
        out = out + table(codes[..., i].clamp(min=0)) * ~no_code[..., i, None]
    slots = (text == AUDIO_PAD) | (text == IMAGE_PAD)
    if features is not None and slots.any():
        out = out.masked_scatter(slots[..., None], features.to(out.dtype))
    return out


class StateMachine:
    """The 'chat' request of spec 1.9; `advance` takes one step's candidates and returns what is recorded and fed
    back."""

    def __init__(self):
        self.state, self.step, self.final = "S0", 0, False

    def advance(self, text, codes):
        codes = list(codes)
        if self.state == "S1":
            text = ABSENT
            self.step += 1
            if codes[0] == CODE_END:
                self.state, self.step = ("END" if self.final else "S0"), 0
        else:
            self.step += 1
            if text in (PAUSE, TEXT_EOS):
                self.final = text == TEXT_EOS
                self.state, self.step = "S1", 0
        if self.state == "S0" and self.step == 1:
            codes[1:] = [ABSENT] * 3
        return text, codes


@torch.no_grad()
def generate(lm, audio, heads, x, max_steps):
    """Greedy reply to one prompt embedding [1, T, d]; returns the steps (candidates, recorded) as lists."""
    cache, machine = lm.new_cache(), StateMachine()
    histories = [[[] for _ in range(CODEBOOKS)]]
    steps = []
    for _ in range(max_steps):
        hidden = lm(x, cache)[:, -1]
        candidate = int(lm.lm_head(hidden).argmax(-1))
        ids, _ = heads.greedy(hidden, histories)
        text, codes = machine.advance(candidate, ids[0].tolist())
        for history, code in zip(histories[0], codes):
            history.append(code)
        steps.append((candidate, ids[0].tolist(), text, codes, machine.state))
        if machine.state == "END":
            break
        x = embed(lm.model.embed_tokens, audio, torch.tensor([[text]]), torch.tensor([[codes]]))
    return steps
