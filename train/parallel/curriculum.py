"""The report's stages (docs/spec/model.md §7.1, §7.2) as configuration: what is trained, what is drawn, how losses are
weighed.

Lengths are scaled: what is 8 K, 32 K and 128 K positions there is 64, 128 and 256 here.
"""

from dataclasses import dataclass, field, replace

from .layout import Refused

LM, CODES, VISION, AUDIO = "language model", "code tables and heads", "vision encoder", "audio encoder"


@dataclass(frozen=True)
class CurriculumStage:
    name: str
    trained: tuple
    shares: dict  # of micro-batches by what they hold: text, speech (codes), image (features), audio (features)
    length: int = 64
    rope_base: float = 1e4
    # docs/spec/model.md §7.2: weight of each mean loss
    losses: dict = field(
        default_factory=lambda: {"text": 1.75, "codes": 0.25, "speech text": 1.5, "first code": 0.1, "vision": 0.25}
    )


_MIXTURE = {"text": 2, "speech": 1, "image": 1}
_ALL = (LM, CODES, VISION)
STAGES = {
    stage.name: stage
    for stage in (
        CurriculumStage("0 text", (LM,), {"text": 1}),
        CurriculumStage("1 text-speech", (LM, CODES), {"text": 2, "speech": 1}),
        CurriculumStage("2 multimodal", _ALL, _MIXTURE),
        CurriculumStage("3 annealing", _ALL, _MIXTURE),
        CurriculumStage("4 long context, 32 K", _ALL, _MIXTURE, length=128, rope_base=5e4),
        CurriculumStage("4 long context, 128 K", _ALL, _MIXTURE, length=256, rope_base=1e5),
        # Task prompt, speech as features, response; the loss is on the response alone.
        CurriculumStage("5 audio alignment", (AUDIO,), {"audio": 1}),
        # Post-training (docs/spec/model.md §7.3) keeps the audio encoder frozen; here it is trained as well, so that
        # every mechanism is at work.
        CurriculumStage("all at once", (LM, CODES, VISION, AUDIO), {"text": 1, "speech": 1, "image": 2, "audio": 1}),
    )
}


def stage(name, **changes):
    """A stage by name, some settings changed. @raises Refused"""
    if name not in STAGES:
        raise Refused(f"there is no curriculum stage {name!r}; there are {', '.join(STAGES)}")
    return replace(STAGES[name], **changes)
