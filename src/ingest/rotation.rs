//! Which files are parts of one rotated log, by their names.

/// What rotation appends to a name to save room.
const COMPRESSED: [&str; 6] = [".gz", ".bz2", ".xz", ".lzma", ".zst", ".Z"];

/// The path of the log that a file is a part of: without what rotation appends, a number or a date, and what compression does.
pub(super) fn log_of(path: &str) -> &str {
    let path = COMPRESSED.iter().find_map(|end| path.strip_suffix(end)).unwrap_or(path);
    let stem = path.trim_end_matches(|c: char| c.is_ascii_digit() || matches!(c, '-' | '_' | '.'));
    let appended = path.get(stem.len()..).unwrap_or_default();
    let is_rotated = appended.starts_with(['.', '-', '_']) && appended.ends_with(|c: char| c.is_ascii_digit());
    if is_rotated && !stem.ends_with(['/', '!']) { stem } else { path }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_parts_of_a_rotated_log_have_one_name_and_other_logs_their_own() {
        for part in ["mail.log", "mail.log.1", "mail.log.2.gz", "mail.log-20221030.xz", "mail.log.20221030-002000"] {
            assert_eq!(log_of(&format!("logs.tar!mx1/{part}")), "logs.tar!mx1/mail.log", "{part}");
        }
        for other in ["mx2/mail.log", "mx1/mail.err", "mx1/20221030", "mx1/syslog5", "mx1/2022-10-30", ""] {
            assert_eq!(log_of(other), other);
        }
    }
}
