//! The stories in the logs of Exchange, as an analyst would count them by searching the text alone.
