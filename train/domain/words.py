"""Numbers and fixed lists as words. The domain never writes digits: text is spelled as it is spoken."""

UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
).split()
TENS = "_ _ twenty thirty forty fifty sixty seventy eighty ninety".split()
DAYS = "Monday Tuesday Wednesday Thursday Friday Saturday Sunday".split()
MONTHS = "January February March April May June July August September October November December".split()
LETTERS = "A B C D E F G H I J K L M N O P Q R S T U V W X Y Z".split()
NAMES = "Anna Ben Clara David Emma Frank George Helen Jack Lucy Martin Nora Oscar Peter Rosa Tom".split()
COLOURS = "red green blue yellow white black".split()
SHAPES = "circle square triangle".split()


def number(n):
    """0..99 in words."""
    if n < 20:
        return UNITS[n]
    return TENS[n // 10] + (" " + UNITS[n % 10] if n % 10 else "")


def sentence(text):
    return text[0].upper() + text[1:] + "."
