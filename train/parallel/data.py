"""Micro-batches from a seed, and how they come to the ranks: inner rank 0 of a data-parallel group reads all, keeps
those of its group, broadcasts what they look like, and sends every item to the rank that will encode it
(docs/spec/model.md §7.4, step 1)."""

import json
import math
import random
from dataclasses import dataclass

import torch

from reference.omni import AUDIO_PAD, CODE_OFFSET, CODE_PAD, IMAGE_PAD

from .exchange import exchange
from .layout import Refused

PATCH = 14
TEXT_BASE, TEXT_IDS = 144, 32  # above the special tokens
KINDS = ("vision", "audio")
LEAST_ANSWER = 8  # positions after a micro-batch's items
GRIDS = ((2, 2), (2, 4), (4, 4), (4, 6), (6, 6))  # rows × columns of patches; a token is two neighbours in a row


@dataclass
class Item:
    """What an encoder works on. vision: `shape` is rows × columns of patches; audio: spliced vectors × 1."""

    kind: str
    shape: tuple
    seed: int

    @property
    def tokens(self):
        rows, columns = self.shape
        return rows * columns // 2 if self.kind == "vision" else rows

    def read(self, splice):
        """The item's data; in a real loader this opens a file. A tint (the item's seed) is what the answer asks for."""
        generator = torch.Generator().manual_seed(self.seed)
        rows, columns = self.shape
        size = (2, 3, rows * PATCH, columns * PATCH) if self.kind == "vision" else (rows, splice)
        return torch.randn(size, generator=generator) + (self.seed % 4 - 1.5)


@dataclass
class MicroBatch:
    number: int  # in the global batch, after sorting by text length; sums are made in this order
    items: list
    tensors: dict

    @property
    def text_length(self):
        return int((self.tensors["weight"] > 0).sum())


def _chain(draw, count):
    """Text that can be learnt: every id follows from the one before."""
    at, step = draw.randrange(TEXT_IDS), draw.choice((1, 3, 5))
    return [TEXT_BASE + (at + i * step) % TEXT_IDS for i in range(count)]


def _compose(draw, kind, length, codes, shapes):
    """-> (items, text ids, code ids, [class of the loss a position carries])."""
    items, text, spoken, classes = [], [], [], []
    if kind in ("image", "audio"):
        for shape in shapes or (
            [draw.choice(GRIDS) for _ in range(draw.randint(1, 3))] if kind == "image" else [(draw.randint(4, 12), 1)]
        ):
            item = Item("vision" if kind == "image" else "audio", shape, draw.randrange(1 << 30))
            if len(text) + item.tokens > length - LEAST_ANSWER:
                if shapes:
                    raise Refused(
                        f"items of {len(text) + item.tokens} tokens leave no room for an answer in {length} positions"
                    )
                continue
            items.append(item)
            text += [IMAGE_PAD if kind == "image" else AUDIO_PAD] * items[-1].tokens
    classes += [None] * len(text)
    room = length - len(text)
    wanted = room - draw.randrange(0, max(1, room // 3), 2)
    answer = _chain(draw, wanted)
    if items:
        answer[0::2] = [TEXT_BASE + items[-1].seed % 4] * len(answer[0::2])
    text += answer
    classes += [{"text": "text", "speech": "speech text", "image": "vision", "audio": "text"}[kind]] * wanted
    spoken = [[CODE_PAD] * 4 for _ in text]
    if kind == "speech":
        for t in range(len(text)):
            spoken[t] = [CODE_OFFSET + (text[t] + i + t % 2) % (codes - CODE_OFFSET) for i in range(4)]
    return items, text, spoken, classes


def _tensors(text, spoken, classes, length):
    """Position t is to predict what stands at t + 1."""
    pad = length - len(text)
    text, spoken = torch.tensor(text + [TEXT_BASE] * pad), torch.tensor(spoken + [[CODE_PAD] * 4] * pad)
    classes = classes + [None] * pad
    following = torch.tensor([c is not None for c in classes[1:]] + [False])
    has_codes = spoken[:, 0] != CODE_PAD
    return {
        "text": text,
        "codes": spoken,
        "target": text.roll(-1),
        "weight": following.float(),
        "code_target": spoken.roll(-1, 0),
        "code_weight": (has_codes.roll(-1) & following).float()[:, None].expand(-1, 4).clone(),
    }


def global_batch(stage, seed, step, count, code_vocab, fixed=None):
    """All micro-batches of a step: the same for every layout. fixed: the items' shapes of each micro-batch, as for
    Figure 9."""
    drawn = []
    for i in range(count):
        draw = random.Random(f"{seed}/{step}/{i}")
        kind = "image" if fixed else draw.choices(list(stage.shares), list(stage.shares.values()))[0]
        items, *rest, classes = _compose(draw, kind, stage.length, code_vocab, fixed[i] if fixed else None)
        drawn.append((kind, classes, MicroBatch(i, items, _tensors(*rest, classes, stage.length))))
    _weigh(drawn, stage.losses)
    batches = [batch for _, _, batch in drawn]
    if not fixed:
        batches.sort(key=lambda b: (b.text_length, b.number))
    for number, batch in enumerate(batches):
        batch.number = number
    return batches


def _weigh(drawn, weights):
    """Turns 0 and 1 into what each position's loss counts, so that the sum over the global batch is the report's
    weighted sum of means."""
    kinds = {"text": "text", "speech": "speech text", "image": "vision", "audio": "text"}
    totals = {}
    for kind, _, batch in drawn:
        totals[kinds[kind]] = totals.get(kinds[kind], 0) + int(batch.tensors["weight"].sum())
    spoken = sum(int(b.tensors["code_weight"][:, 0].sum()) for _, _, b in drawn)
    for kind, _, batch in drawn:
        batch.tensors["weight"] *= weights[kinds[kind]] / max(1, totals[kinds[kind]])
        batch.tensors["code_weight"] *= weights["codes"] / max(1, 4 * spoken)
        batch.tensors["code_weight"][:, 0] *= 1 + weights["first code"] / weights["codes"] * 4


def deal(batches, groups):
    """Sorted micro-batches dealt out one by one, back and forth, so that the groups carry similar work."""
    mine = [[] for _ in range(groups)]
    for i, batch in enumerate(batches):
        turn, place = divmod(i, groups)
        mine[place if turn % 2 == 0 else groups - 1 - place].append(batch)
    return mine


def broadcast_json(value, group):
    """Any small value from the group's first member."""
    data = (
        torch.tensor(list(json.dumps(value).encode()), dtype=torch.uint8)
        if group.me == 0
        else torch.empty(0, dtype=torch.uint8)
    )
    length = group.broadcast(torch.tensor([len(data)]), "metadata")
    data = group.broadcast(data if group.me == 0 else torch.empty(int(length), dtype=torch.uint8), "metadata")
    return json.loads(bytes(data.tolist()).decode())


SHAPES = {
    "text": ((), torch.int64),
    "codes": ((4,), torch.int64),
    "target": ((), torch.int64),
    "weight": ((), torch.float32),
    "code_target": ((4,), torch.int64),
    "code_weight": ((4,), torch.float32),
}


def distribute(batches, inner):
    """`batches` on inner rank 0, None elsewhere -> micro-batches with tokens on every rank of the inner group, items as
    metadata."""
    described = broadcast_json(
        [[b.number, len(b.tensors["text"]), [[i.kind, i.shape, i.seed] for i in b.items]] for b in batches or []], inner
    )
    shapes = [((length, *rest), dtype) for _, length, _ in described for rest, dtype in SHAPES.values()]
    mine = [b.tensors[name] for b in batches or [] for name in SHAPES]
    tensors = iter(
        _unpacked(
            inner.broadcast(_packed(mine) if batches else torch.empty(_bytes(shapes), dtype=torch.uint8), "tokens"),
            shapes,
        )
    )
    return [
        MicroBatch(
            number,
            [Item(kind, tuple(shape), seed) for kind, shape, seed in items],
            {name: next(tensors) for name in SHAPES},
        )
        for number, length, items in described
    ]


def _bytes(shapes):
    return sum(math.prod(shape) * torch.empty(0, dtype=dtype).element_size() for shape, dtype in shapes)


def _packed(tensors):
    """One message instead of many. Parts are copied out, so that they are aligned."""
    return torch.cat([t.contiguous().flatten().view(torch.uint8) for t in tensors])


def _unpacked(buffer, shapes):
    at = 0
    for shape, dtype in shapes:
        size = _bytes([(shape, dtype)])
        yield buffer[at : at + size].clone().view(dtype).view(shape)
        at += size


def send_items(items, placement, inner, splice):
    """Inner rank 0 reads the items and sends to each rank those that it encodes, in one message. -> {item number: data}
    of this rank."""
    root, me = inner.ranks[0], inner.ranks[inner.me]

    def shape(item):
        rows, columns = item.shape
        return (2, 3, rows * PATCH, columns * PATCH) if item.kind == "vision" else (rows, splice)

    sends = {}
    if me == root:
        sends = {
            rank: torch.cat([items[i].read(splice).flatten() for i in numbers])
            for rank, numbers in zip(inner.ranks, placement)
            if numbers
        }
    mine = placement[inner.me]
    sizes = [math.prod(shape(items[i])) for i in mine]
    got = exchange(sends, {root: ((sum(sizes),), torch.float32)} if mine else {}, "items")
    return {i: part.view(shape(items[i])) for i, part in zip(mine, got[root].split(sizes))} if mine else {}
