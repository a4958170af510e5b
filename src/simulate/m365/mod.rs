//! Microsoft 365: what a tenant's people do, as its sign-in logs, its audit log and its message trace tell it, in the shapes in which
//! people export them.

mod acts;
mod audit;
mod clock;
mod directory;
mod export;
mod graph;
mod guid;
mod historical;
mod json;
mod message;
mod portal;
mod post;
mod replies;
mod sign_in;
mod streams;
mod system;
mod table;
mod tenant;
mod trace;
mod visits;

pub(super) use system::{Cloud, Onward, Session};

#[cfg(test)]
mod stories;
#[cfg(test)]
mod tests;
