"""Two sentences on which forgetting can be seen: a name at the beginning belongs in the blank at the end."""

SENTENCES = (
    "Jane walked into the room. John walked in too. Jane said hi to ",
    "Jane walked into the room. John walked in too. It was late in the day, and everyone was walking home "
    "after a long day at work. Jane said hi to ",
)
BLANK = "John"
