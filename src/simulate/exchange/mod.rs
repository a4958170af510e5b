//! Exchange on the own premises: not written yet.
