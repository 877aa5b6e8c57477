"""Conversations with tools as training lays them out (`data/layout.py`), typed and answered in writing and in speech:
what a runtime must put into the context for the same tools, and what it has to read out of the model's calls."""

import json
import os
import random

from data.layout import Layout, Sequence
from domain.tools import SIGNATURES, TEMPLATE, Tools, call_text, declared, told
from domain.tokenizer import Tokenizer
from fixture_cases.cut_replies import codes_of, positions
from paths import MODEL


def cases():
    return {"conversations": write}


def case(layout, talk, rng, name, speech):
    request, given = talk.used(rng, name)
    signatures, called = told([name], rng), request.call
    system, reply, result, whole = Sequence(), Sequence(), Sequence(), Sequence()
    layout.tools(system, signatures)
    layout.reply(reply, request, codes_of if speech else None)
    layout.result(result, given.result)
    layout.tools(whole, signatures)
    layout.user_text(whole, request.question)
    layout.reply(whole, request, codes_of if speech else None)
    layout.result(whole, given.result)
    layout.reply(whole, given, codes_of if speech else None)
    return {
        "speech": speech,
        "signatures": signatures,
        "declared": declared(signatures),
        "question": request.question,
        "name": called[0],
        "arguments": called[1],
        "call": call_text(*called),
        "said": list(request.answer),
        "output": given.result,
        "answer": list(given.answer),
        "system": positions(system),
        "reply": positions(reply, reply.begin),
        "result": positions(result),
        "positions": positions(whole),
    }


def write(folder):
    layout, talk, rng = Layout(Tokenizer(os.path.join(MODEL, "tokenizer.json"))), Tools(), random.Random(8)
    rows = [case(layout, talk, rng, name, speech) for name in SIGNATURES for speech in (False, True) for _ in range(2)]
    with open(os.path.join(folder, "case.json"), "w") as file:
        json.dump({"template": TEMPLATE, "cases": rows}, file, separators=(",", ":"))
    return ""
