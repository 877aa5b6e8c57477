"""Everyday English that nano knows nothing about, by frames and fillings; of both some are kept for measuring. Its
words are mostly not among those that the ear knows by name: it need only hear that they are none of the domain's."""

from .facts import AGAIN, Fact

PLACES = "Paris London Berlin Rome Madrid Boston Chicago Tokyo Delhi Oslo Vienna Dublin Prague Sydney Cairo".split()
THINGS = (
    "a taxi",
    "a pizza",
    "a hammer",
    "a new phone",
    "some coffee",
    "fresh fruit",
    "a winter coat",
    "my passport",
    "the garden",
    "a hotel room",
    "the kitchen",
    "a bicycle",
    "two tickets",
    "an umbrella",
    "my glasses",
    "a birthday present",
    "the bathroom",
    "a good film",
    "some soup",
    "the dentist",
    "a haircut",
    "the computer",
    "my insurance",
    "a washing machine",
)
PEOPLE = (
    "my brother",
    "the doctor",
    "your boss",
    "the president",
    "our neighbour",
    "her husband",
    "the teacher",
    "my aunt",
    "the manager",
    "his daughter",
)
DOINGS = (
    "cook rice",
    "fix a bicycle",
    "learn Spanish",
    "lose weight",
    "grow tomatoes",
    "boil an egg",
    "paint a wall",
    "tie a tie",
    "play chess",
    "wash a sweater",
    "change a tyre",
    "write a letter",
    "sleep better",
    "save money",
    "clean the oven",
    "train a puppy",
)
TOPICS = (
    "football",
    "politics",
    "history",
    "jazz",
    "philosophy",
    "the stock market",
    "climate change",
    "cars",
    "fashion",
    "gardening",
    "physics",
    "the news",
    "travel",
    "cooking",
    "medicine",
    "the moon landing",
)
FRAMES = {
    "what is the weather like in {}": PLACES,
    "how far is it to {}": PLACES,
    "what time is it in {}": PLACES,
    "is it raining in {}": PLACES,
    "have you ever been to {}": PLACES,
    "how do I get to {}": PLACES,
    "book a flight to {}": PLACES,
    "how many people live in {}": PLACES,
    "where can I buy {}": THINGS,
    "I need {}": THINGS,
    "how much is {}": THINGS,
    "can you order {} for me": THINGS,
    "I lost {} yesterday": THINGS,
    "do you have {}": THINGS,
    "remind me about {}": THINGS,
    "I am looking for {}": THINGS,
    "what do you think about {}": TOPICS,
    "tell me something about {}": TOPICS,
    "why is {} so expensive": THINGS,
    "I do not understand {}": TOPICS,
    "let us talk about {}": TOPICS,
    "who knows more about {}": TOPICS,
    "how do you {}": DOINGS,
    "how can I {}": DOINGS,
    "teach me to {}": DOINGS,
    "I want to {}": DOINGS,
    "is it difficult to {}": DOINGS,
    "where does {} live": PEOPLE,
    "please call {}": PEOPLE,
    "what did {} say": PEOPLE,
    "{} is coming for dinner": PEOPLE,
    "why was {} so angry": PEOPLE,
    "when is the birthday of {}": PEOPLE,
    "write an email to {}": PEOPLE,
    "I met {} at the office": PEOPLE,
}
SAYINGS = (
    "what is the capital of France",
    "who painted the Mona Lisa",
    "how tall is the Eiffel tower",
    "I am tired",
    "it is getting late",
    "my back hurts",
    "turn up the heating",
    "translate this into German",
    "what is on television tonight",
    "who is the king of England",
    "I have a headache",
    "did you sleep well",
    "the bus was late again",
    "how old is the universe",
    "could you speak up a little",
    "what are you wearing",
    "do you believe in ghosts",
    "give me a recipe for pancakes",
    "I feel lonely",
    "what is your favourite film",
    "are you married",
    "is there life on Mars",
    "why is the sky blue",
    "how does a computer work",
    "what happened in the news today",
    "I hate Mondays",
    "can you drive a car",
    "which team won on Sunday",
    "my phone is broken",
    "the baby is crying",
    "pass me the salt",
    "what should I wear",
)
UNHEARD_FRAMES = {
    "will it snow in {} this week": PLACES,
    "find me a cheap hostel near {}": PLACES,
    "what language do they speak in {}": PLACES,
    "could you recommend {}": THINGS,
    "somebody stole {}": THINGS,
    "have you seen {} anywhere": THINGS,
    "explain {} to a child": TOPICS,
    "I read an article about {}": TOPICS,
    "what is the best way to {}": DOINGS,
    "my grandmother used to {}": DOINGS,
    "say hello to {} from us": PEOPLE,
    "did {} really do that": PEOPLE,
}


def fill(frames):
    return sorted({frame.format(word) for frame, words in frames.items() for word in words})


def heard():
    return sorted({*fill(FRAMES), *SAYINGS})


def unheard():
    return fill(UNHEARD_FRAMES)


def facts(texts):
    return [Fact("everyday", (text,), AGAIN) for text in texts]
