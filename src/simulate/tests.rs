//! The stories as an analyst would count them, by searching the text alone.
