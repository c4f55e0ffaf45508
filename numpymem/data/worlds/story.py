"""What all worlds share: the lines of a story, one random choice, the words of moving about, and the window."""

ACTORS = ("John", "Daniel", "Mary", "Sandra")
PRONOUNS = {"John": "he", "Daniel": "he", "Mary": "she", "Sandra": "she"}
ROOMS = ("bedroom", "bathroom", "kitchen", "garden", "hallway", "office")
MOVES = ("went to", "travelled to", "journeyed to", "moved to", "went back to")
GETS = ("took", "got", "grabbed", "picked up")

# Tasks 10 and 14 have a cast and places of their own.
TOWN_ACTORS = ("Bill", "Fred", "Julie", "Mary")
TOWN_PLACES = ("bedroom", "cinema", "kitchen", "office", "park", "school")

QUESTIONS_A_STORY = 5
# In the released tasks with moving people, a question is about something told among the latest five facts.
WINDOW = 5


class Story:
    """The lines of one story and their IDs (from 1, questions counted)."""

    def __init__(self, blank_before_tab=False):
        self.lines = []
        self.question_ids = []
        self.blank_before_tab = blank_before_tab

    def tell(self, text):
        """Add a statement; returns its ID."""
        self.lines.append(f"{len(self.lines) + 1} {text}")
        return len(self.lines)

    def ask(self, question, answer, supports):
        """Add a question; supports are IDs returned by `tell`."""
        blank = " " if self.blank_before_tab else ""
        ids = " ".join(str(identity) for identity in supports)
        self.lines.append(f"{len(self.lines) + 1} {question}{blank}\t{answer}\t{ids}")
        self.question_ids.append(len(self.lines))

    def until_question(self, count):
        """The lines up to question number `count` (or all), and how many questions they hold."""
        if count >= len(self.question_ids):
            return self.lines, len(self.question_ids)
        return self.lines[: self.question_ids[count - 1]], count


def pick(rng, options):
    """One of the options, all equally likely."""
    return options[int(rng.integers(len(options)))]


def pick_other(rng, options, *taken):
    """One of the options that are not taken, all equally likely."""
    return pick(rng, [option for option in options if option not in taken])


def pick_distinct(rng, options, count):
    """`count` different options in random order; a list."""
    return [options[index] for index in rng.permutation(len(options))[:count]]
