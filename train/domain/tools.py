"""Tools that nano may call in conversations that tell it of them: how they are told, asked for, called and answered
(docs/spec/tools.md §1–§3).

A call is two turns. The first is the request: the reply is a sentence and then the call, which is written and never
spoken. The second is what the tool gave, and the reply says what came of it. What was never told is never called, and
nothing but a request calls.
"""

from dataclasses import replace
from functools import cached_property
import json
import random

from . import corrections
from .calls import SHORT, Calls
from .conversation import Turn
from .facts import AGAIN
from .near import NEAR, NEAR_MORE
from .words import NAMES, number, sentence

# What `export.py` writes as the model's template.json (docs/spec/tools.md §5).
TEMPLATE = {
    "version": 1,
    "tools": {
        "turn": "SYSTEM:{}</longcat_s>\n",
        "heading": "TOOLS:",
        "list": "json",
        "tool": "{name}({parameters})",
        "separator": ",",
    },
    "call": {
        "call": "<longcat_tool_call>{name}\n{arguments}</longcat_tool_call>",
        "argument": "<longcat_arg_key>{key}</longcat_arg_key><longcat_arg_value>{value}</longcat_arg_value>",
    },
    "result": "TOOL:{}\n",
}
MOST_MINUTES, HOURS = 30, range(24)
SIGNATURES = {
    "set_timer": "set_timer(minutes)",
    "set_light": "set_light(state)",
    "get_time": "get_time()",
    "call": "call(name)",
}
# What a runtime is told of them, as JSON Schema.
SCHEMAS = {
    "set_timer": {"type": "object", "properties": {"minutes": {"type": "integer"}}, "required": ["minutes"]},
    "set_light": {
        "type": "object",
        "properties": {"state": {"type": "string", "enum": ["on", "off"]}},
        "required": ["state"],
    },
    "get_time": {"type": "object", "properties": {}},
    "call": {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]},
}
# Of other people, which nano never calls.
OTHERS = (
    "get_weather(city)",
    "play_music(song)",
    "open_door(room)",
    "send_message(name,text)",
    "search(query)",
    "set_alarm(time)",
    "get_news()",
    "book_table(people,time)",
    "set_heating(degrees)",
    "stop_music()",
    "buy(item)",
    "get_date()",
)
MOMENT, FAILED = "Okay.", "No."  # sentences that nano says already: only the calls are new to it
# The last wording of each is never asked in training.
REQUESTS = {
    "set_timer": (
        "set a timer for {}",
        "start a timer for {}",
        "please set a timer for {}",
        "can you set a timer for {}",
        "set the timer to {}",
        "I need a timer for {}",
        "timer for {}",
        "set a timer {}",
        "please start a timer for {}",
    ),
    "set_light": (
        "turn {} the light",
        "switch {} the light",
        "turn the light {}",
        "switch the light {}",
        "please turn {} the light",
        "can you turn {} the light",
        "please switch the light {}",
        "please switch {} the light",
        "can you turn the light {}",
        "can you please switch {} the light",
        "I want to switch {} the light",
        "can you switch {} the light",
    ),
    "get_time": (
        "what time is it",
        "what is the time",
        "tell me the time",
        "can you tell me the time",
        "do you know what time it is",
        "what time is it now",
        "please tell me the time",
    ),
    "call": (
        "call {}",
        "please call {}",
        "can you call {}",
        "I want to call {}",
        "please call {} now",
        "can you please call {}",
    ),
}
CORRECTIONS = ("no", "wait", "no wait", "no no")
DONE = ('{"ok":true}', '{"status":"ok"}', "ok", "done", '{"success":true}', '{"result":"ok"}', "OK", "true")
ERRORS = (
    '{"error":"failed"}',
    '{"error":"not available"}',
    '{"ok":false}',
    "error",
    '{"error":"timeout"}',
    '{"status":"error"}',
    "failed",
    "false",
)
TIMES = ('{{"hour":{},"minute":{}}}', '{{"hour":{}, "minute":{}}}')
FAILS, CORRECTED, UNTOLD = 0.12, 0.25, 0.12  # shares: of results, of timers, of requests for tools that were not told
# In training: shares of requests that are corrected, and how many are recorded.
CORRECTIONS_OF = {"set_timer": (0.5, 3000), "set_light": (0.2, 300), "call": (0.3, 1200)}
USED = {
    "set_timer": 4,
    "call": 3,
    "set_light": 3,
    "get_time": 1,
}  # how often of those told: numbers and names are learnt last
TOLD_CALLS = 0.4  # of whole calls
TOOL_SHARES = {"tool": 10, "tooled": 6}


def minutes(n):
    return f"{number(n)} minute{'s' if n > 1 else ''}"


def fillings(name):
    """-> {what stands in the request: the call's arguments}."""
    if name == "set_timer":
        return {minutes(n): {"minutes": n} for n in range(1, MOST_MINUTES + 1)}
    if name == "set_light":
        return {state: {"state": state} for state in ("on", "off")}
    if name == "call":
        return {who: {"name": who} for who in NAMES}
    return {"": {}}


def corrected(rng):
    """-> (a number that is taken back for another, the arguments of what was meant)."""
    meant, other = rng.sample(range(1, MOST_MINUTES + 1), 2)
    first = number(other) if rng.random() < 0.7 else minutes(other)
    return f"{first} {rng.choice(CORRECTIONS)} {minutes(meant)}", {"minutes": meant}


def result(name, arguments, rng):
    """-> (what the tool gives, the answer to it)."""
    if rng.random() < FAILS:
        return rng.choice(ERRORS), (FAILED,)
    if name == "get_time":
        hour, minute = rng.choice(HOURS), rng.choice((0, rng.randrange(60)))
        return rng.choice(TIMES).format(hour, minute), time_of(hour, minute)
    return rng.choice(DONE), ("I am done.",)


def time_of(hour, minute):
    """Numbers that nano says already; all but forty and fifty are among them."""
    parts = [number(minute)] if 0 < minute <= 30 else number(minute).split(" ") if minute else []
    return tuple(sentence(part) for part in (number(hour), *parts))


def one_of(names, rng):
    return rng.choices(names, [USED[name] for name in names])[0]


def told(names, rng):
    """Signatures in any order, perhaps among those of others."""
    return tuple(
        rng.sample(out := [*map(SIGNATURES.get, names), *rng.sample(OTHERS, rng.choice((0, 0, 0, 1, 2, 3)))], len(out))
    )


def declared(signatures):
    """What the system turn says."""
    told = TEMPLATE["tools"]
    return told["heading"] + json.dumps(signatures, separators=(",", ":"))


def call_text(name, arguments):
    """A call as the model writes it: shape 1 of docs/spec/tools.md §1."""
    call = TEMPLATE["call"]
    return call["call"].format(
        name=name, arguments="".join(call["argument"].format(key=key, value=value) for key, value in arguments.items())
    )


class Tools(Calls):
    """Conversations, calls, and conversations with tools under the names of `TOOL_SHARES`."""

    def __init__(self, *args, **options):
        super().__init__(*args, **options)
        self.starts = [
            text for text in self.starts if text not in ALL_REQUESTS
        ]  # somebody paused before he took it back

    def request(self, rng, name):
        """-> (question, arguments)."""
        if self.recorded and name in CORRECTIONS_OF and rng.random() < CORRECTIONS_OF[name][0]:
            return rng.choice(self.corrected[name])
        wordings = REQUESTS[name]
        wording = wordings[-1] if self.unheard else rng.choice(wordings[:-1])
        if name == "set_timer" and rng.random() < CORRECTED:
            filling, arguments = corrected(rng)
        else:
            filling, arguments = rng.choice(list(fillings(name).items()))
        return wording.format(filling), arguments

    @cached_property
    def corrected(self):
        """{tool: (question, arguments) of those that were recorded, or of all}."""
        out = {name: list(asked.items()) for name, asked in corrected_requests().items()}
        return {name: [pair for pair in asked if pair[0] in self.recorded] or asked for name, asked in out.items()}

    def near(self, rng):
        """Near to a request, and none."""
        return Turn("near", rng.choice(NEAR + NEAR_MORE if self.recorded else NEAR), AGAIN)

    def used(self, rng, name):
        """A request and what came of it."""
        question, arguments = self.request(rng, name)
        given, answer = result(name, arguments, rng)
        return [Turn("tool", question, (MOMENT,), call=(name, arguments)), Turn("result", "", answer, result=given)]

    def other(self, rng):
        """Any question that is no request."""
        while (turn := self.one(rng)).question in ALL_REQUESTS:
            pass
        return turn

    def untold(self, rng, name):
        return Turn("untold", self.request(rng, name)[0], AGAIN)

    def _tool(self, rng):
        """Tools are told, time passes, one is used, perhaps another."""
        names = rng.sample(list(SIGNATURES), rng.randint(1, len(SIGNATURES)))
        others = [name for name in SIGNATURES if name not in names]
        turns = self.pass_time(rng, 1)
        for _ in range(rng.choice((1, 2, 3))):
            turns += (
                [self.untold(rng, rng.choice(others))]
                if others and rng.random() < UNTOLD
                else self.used(rng, one_of(names, rng))
            )
            if rng.random() < 0.3:
                turns.append(self.short(rng))
        return [replace(turns[0], tools=told(names, rng)), *turns[1:]]

    def _call(self, rng, turns=None):
        """Of some whole calls: tools were told at the beginning, and are used between other turns."""
        endless, turns = turns is not None, super()._call(rng, turns)
        if rng.random() >= TOLD_CALLS:
            return turns
        names = rng.sample(list(SIGNATURES), rng.randint(2, len(SIGNATURES)))
        places = [
            i
            for i, turn in enumerate(turns)
            if turn.kind in SHORT and (i == 0 or not turns[i - 1].items or turns[i - 1].heard is None)
        ]
        often = (4, 7, 10) if endless else (1, 1, 2, 3)
        for i in sorted(rng.sample(places, min(len(places), rng.choice(often))), reverse=True):
            turns[i:i] = [self.near(rng)] if endless and rng.random() < 0.35 else self.used(rng, one_of(names, rng))
        return [replace(turns[0], tools=told(names, rng)), *turns[1:]]

    def _tooled(self, rng):
        """Tools are told and none is asked for."""
        names = rng.sample(list(SIGNATURES), rng.randint(2, len(SIGNATURES)))
        chance = rng.random()
        if chance < 0.35:
            turns = self.pass_time(rng, 1) + [self.near(rng)]
        elif chance < 0.5:
            turns = self.pass_time(rng, 1) + [self.one(rng, "elsewhere") if rng.random() < 0.7 else self.everyday(rng)]
        elif chance < 0.58:
            turns = self.draw(rng, rng.choice(("name", "number")))
        elif chance < 0.66:
            turns = self._after_cut(rng)
        else:
            turns = [self.other(rng) for _ in range(rng.randint(1, 2))]
        return [replace(turns[0], tools=told(names, rng)), *turns[1:]]


ALL_REQUESTS = {
    wording.format(filling) for name, wordings in REQUESTS.items() for wording in wordings for filling in fillings(name)
}


def requests(heard_only=True):
    """Every request that is not corrected."""
    out = set()
    for name, wordings in REQUESTS.items():
        out |= {w.format(f) for w in (wordings[:-1] if heard_only else wordings) for f in fillings(name)}
    return sorted(out)


def corrected_requests():
    """{tool: {question: arguments}}, as training asks them."""
    timers = tuple(minutes(n) for n in range(1, MOST_MINUTES + 1))
    values = {"set_timer": timers, "set_light": ("on", "off"), "call": tuple(NAMES)}
    out = {}
    for name, (_, count) in CORRECTIONS_OF.items():
        shorter = corrections.unit_once if name == "set_timer" else None
        texts = corrections.drawn(REQUESTS[name][:-1], values[name], count, shorter)
        out[name] = {text: fillings(name)[meant] for text, meant in texts.items()}
    return out


def asks_for(question):
    """The name of the tool."""
    return next(
        name
        for name, key in (("set_timer", "timer"), ("set_light", "light"), ("get_time", "time"), ("call", "call"))
        if key in question.split(" ")
    )


def words():
    """Everything the ear has to know by name for them."""
    return {w for text in (*requests(heard_only=False), *CORRECTIONS) for w in text.split(" ")}


def all_calls():
    return [call_text(name, arguments) for name in SIGNATURES for arguments in fillings(name).values()]


def all_written():
    """Everything that is told, called and answered in writing."""
    given = [*DONE, *ERRORS, *(form.format(hour, minute) for form in TIMES for hour in HOURS for minute in range(60))]
    return [
        declared([*SIGNATURES.values(), *OTHERS]),
        *all_calls(),
        *(TEMPLATE["result"].format(text) for text in given),
        TEMPLATE["tools"]["turn"],
    ]


def all_segments():
    """Every sentence nano says for them."""
    return sorted({MOMENT, FAILED, "I am done."} | {sentence(number(n)) for n in range(1, 60)})


def for_the_test(count=50, seed=2424):
    """{skill: conversations} in wordings that training never has, the same every time, without scenes: the last
    question calls, or does not."""
    talk, rng, out = Tools(unheard=True), random.Random(seed), {"called": [], "not called": [], "result": []}
    while len(out["called"]) < count:
        name = rng.choice(list(SIGNATURES))
        request, given = talk.used(rng, name)
        names = {name, *rng.sample(list(SIGNATURES), 2)}
        before = talk.pass_time(rng, 1)
        turns = [*before, request]
        signatures = told(sorted(names), rng)
        out["called"].append([replace(turns[0], tools=signatures), *turns[1:]])
        out["result"].append([*out["called"][-1], given])
    heard = Calls()
    while len(out["not called"]) < count:
        turn = Turn("near", rng.choice(NEAR), AGAIN) if rng.random() < 0.3 else heard.short(rng)
        out["not called"].append([replace(turn, tools=told(list(SIGNATURES), rng))])
    return out
