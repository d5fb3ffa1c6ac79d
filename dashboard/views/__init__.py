"""One page, one file: each is a script that Streamlit runs from top to bottom."""
