"""Texts that tokenizers trip over."""

from hypothesis import strategies as st

TRIPPING = (
    "\0",
    "\r\n",
    "\r",
    "\n\n",
    "\u2581",  # SentencePiece's space
    "<0x41>",
    "<s>",
    "</s>",
    "<unk>",
    "\U0001f469\u200d\U0001f52c",  # an emoji with a joiner
    "e\u0301",
    "\ufffd",
    "\ufeff",
    "  ",
    "\t",
    "don't",
    "'",
    "\u2019",
    "the ",
    "\U0010ffff",
    "\u0130",
)

# No lone surrogates: they are no text.
awkward = st.lists(
    st.sampled_from(TRIPPING) | st.text(st.characters(exclude_categories=["Cs"]), max_size=8), max_size=12
).map("".join)
