//! One model, many faces: the report as text, JSON, Markdown, a GitHub step summary and HTML.
//!
//! A face shows what the model says and computes no figure. To add one, write its module with a [`Face`] constant and add that constant
//! to [`ALL`]. Nothing here opens a file or asks what terminal there is.

pub mod escape;

mod document;
mod faces {
    pub(super) mod github;
    pub(super) mod html;
    pub(super) mod json;
    pub(super) mod layout;
    pub(super) mod markdown;
    pub(super) mod text;
}
mod incident;
mod inventory;
mod same;
mod story;
mod words;

#[cfg(test)]
pub(crate) mod samples;
#[cfg(test)]
mod tests;

use crate::analysis::model::Report;

/// How a face that can be coloured and wrapped should look.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    pub color: bool,
    /// Columns of the page. Long log text may run over rather than be cut.
    pub width: usize,
}

/// What a face is asked to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum View {
    /// The findings: what `analyze` answers.
    Findings,
    /// What the evidence is: what `inspect` answers.
    Inventory,
}

/// One way to show a report.
pub struct Face {
    /// The value of `--format`; one per view.
    pub id: &'static str,
    pub view: View,
    pub title: &'static str,
    /// Its name in a case folder, if it has a place there.
    pub file_name: Option<&'static str>,
    pub render: fn(&Report, &Style) -> String,
}

/// Every face.
pub const ALL: &[Face] = &[
    faces::text::FINDINGS,
    faces::json::FINDINGS,
    faces::markdown::FINDINGS,
    faces::html::FINDINGS,
    faces::github::FINDINGS,
    faces::text::INVENTORY,
    faces::json::INVENTORY,
    faces::markdown::INVENTORY,
    faces::html::INVENTORY,
    faces::github::INVENTORY,
];

/// The face of a view with this id.
#[must_use]
pub fn find(view: View, id: &str) -> Option<&'static Face> {
    ALL.iter().find(|face| face.view == view && face.id == id)
}
