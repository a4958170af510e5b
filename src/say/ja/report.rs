//! Japanese.

super::catalogue! {}
