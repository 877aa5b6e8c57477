"""What the language-model stages share: the modules, the losses, and the control of the expert biases."""
import os
import sys

import torch
import torch.nn.functional as F
from torch import nn

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
import nano
from domain.tokenizer import Tokenizer
from paths import cache
from reference.language_model import LanguageModel
from reference.omni import AudioEmbeddings, AudioOutputLayers, embed
from stages.experts import batch_experts

BIAS_RATE = 0.05
PENALTY, WINDOW = 1.1, 30


def modules():
    lm = batch_experts(LanguageModel(nano.LANGUAGE_MODEL))
    audio, heads = AudioEmbeddings(nano.CODE_VOCAB, nano.HIDDEN), AudioOutputLayers(nano.CODE_VOCAB, nano.HIDDEN)
    nn.init.normal_(lm.model.embed_tokens.weight, std=0.4)
    for table in [*audio.audio_embeddings, *heads.embedding]:
        nn.init.normal_(table.weight, std=0.2)
    return {"lm": lm, "audio": audio, "heads": heads}


def start_from(stage, parts):
    """Takes over what an earlier stage trained; parts it does not know stay as they are. -> names of these."""
    state = torch.load(cache(f"{stage}.pt"), map_location="cpu")["modules"]
    for name in parts:
        if name in state:
            parts[name].load_state_dict(state[name])
    return [name for name in parts if name not in state]


def tokenizer():
    return Tokenizer(cache("tokenizer.json"))


def recent_counts(ids, begins, learn, window=WINDOW, vocab=nano.CODE_VOCAB):
    """ids, begins [B, T], learn [B, T - 1] -> [learnt, vocab]: how often each id stood in the `window` positions up to and
    including the one that predicts, within the same reply."""
    total = F.pad(F.one_hot(ids, vocab).float().cumsum(1), (0, 0, 1, 0))
    row, at = learn.nonzero(as_tuple=True)
    since = torch.maximum(at + 1 - window, begins[row, at + 1]).clamp(min=0)
    return total[row, at + 1] - total[row, torch.minimum(since, at + 1)]


def hidden_states(parts, batch, features=None):
    x = embed(parts["lm"].model.embed_tokens, parts["audio"], batch["text"], batch["codes"], features)
    return parts["lm"](x)


def text_loss(parts, batch, hidden, shown):
    learn = batch["learn_text"][:, 1:]
    logits = parts["lm"].lm_head(hidden[:, :-1][learn])
    target = batch["text"][:, 1:][learn]
    shown["text"] = F.cross_entropy(logits, target)
    shown["text_right"] = (logits.argmax(-1) == target).float().mean()
    return shown["text"]


def code_loss(parts, batch, hidden, shown):
    """Cross entropy of the four heads on logits that carry the repetition penalty of the runtime.

    The runtime divides a repeated id's logit by 1.1 per repetition. Trained under it, the heads keep the right id
    ahead although speech repeats itself; without it every long vowel would be pushed off its code.
    """
    learn = batch["learn_semantic"][:, 1:]
    codes = batch["codes"][:, 1:][learn]
    logits = parts["heads"](hidden[:, :-1][learn], codes)
    total = 0
    for i, name in enumerate(("semantic", "first", "second", "third")):
        with torch.no_grad():
            ids = torch.where(batch["learn_semantic"], batch["codes"][..., i], torch.full_like(batch["text"], 3))
            alpha = PENALTY ** recent_counts(ids, batch["begins"], learn)
        scores = torch.where(logits[i] < 0, logits[i] * alpha, logits[i] / alpha)
        use = slice(None) if i == 0 else batch["learn_acoustic"][:, 1:][learn]
        loss = F.cross_entropy(scores[use], codes[use, i])
        shown[name + "_right"] = (scores[use].argmax(-1) == codes[use, i]).float().mean()
        total = total + loss * (1.0 if i == 0 else 0.5)
    shown["codes"] = total
    return total


def control_experts(lm, progress):
    """Moves the selection biases so that real experts get 2/3 of the choices, evenly (spec 1.4); -> identity share."""
    c = lm.config
    n, k = c["n_routed_experts"], c["moe_topk"]
    shares = []
    for layer in lm.model.layers:
        index = layer.mlp.last_index
        used = torch.bincount(index.flatten(), minlength=n + c["zero_expert_num"]).float() / index.numel()
        wanted = nano.REAL_EXPERTS_PER_TOKEN / k / n
        layer.mlp.router.e_score_correction_bias[:n] += BIAS_RATE * (1 - 0.9 * progress) * (wanted - used[:n])
        shares.append(float(used[n:].sum()))
    return sum(shares) / len(shares)
