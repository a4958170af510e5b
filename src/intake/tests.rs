//! Intake as a whole: evidence as it is handed in, and what the survey and the readers make of it.

use super::fixtures::*;
use super::survey::{KEPT_BYTES_MAX, survey_with};
use super::{Limits, MemberZone, Source, Survey};
use crate::domain::time::Timestamp;
use ::zip::CompressionMethod::{Deflated, Stored};
use std::io::Read;

const LOG: &[u8] = b"Oct 31 16:01:20 mx1 postfix/smtpd[1]: connect from unknown[192.0.2.1]\n";
const OLD: &[u8] = b"Oct 30 00:00:01 mx1 postfix/qmgr[2]: 4N1: removed\n";

/// Checks the content and the hash of the only source, whose bytes lie in the evidence as `stored`.
fn assert_reads(survey: &Survey, content: &[u8], stored: &[u8]) {
    assert_eq!(survey.problems, []);
    assert_eq!(survey.sources.len(), 1);
    assert_source(&survey.sources[0], content, stored);
}

fn assert_source(source: &Source, content: &[u8], stored: &[u8]) {
    let (bytes, finished) = read(source);
    assert!(bytes == content, "{}: {} bytes instead of {}", source.path, bytes.len(), content.len());
    assert_eq!(finished.damage, None, "{}", source.path);
    assert_eq!(finished.sha256, sha256(stored), "{}", source.path);
    assert_eq!(finished.decoded_bytes, content.len() as u64);
    assert_eq!(finished.encoded_bytes, stored.len() as u64);
    assert_eq!(source.size, stored.len() as u64);
}

#[test]
fn every_single_compression_is_read_and_hashed_as_it_lies() {
    let log = lines(700_000);
    for (name, stored) in
        [("plain", log.clone()), ("gz", gz(&log)), ("bz2", bz2(&log)), ("xz", xz(&log)), ("lzma", lzma(&log)), ("zst", zst(&log))]
    {
        let folder = Folder::new().with("mail.log", &stored);
        let survey = folder.survey();
        assert_reads(&survey, &log, &stored);
        assert_eq!(survey.files[0].source, Some(survey.sources[0].id), "{name}");
        assert_eq!(folder.names(&survey), ["mail.log"]);
    }
}

#[test]
fn several_streams_in_one_file_are_one_log() {
    type Compress = fn(&[u8]) -> Vec<u8>;
    for compress in [gz as Compress, bz2, xz, zst] {
        let stored = [compress(OLD), compress(b""), compress(LOG)].concat();
        let folder = Folder::new().with("mail.log", &stored);
        assert_reads(&folder.survey(), &[OLD, LOG].concat(), &stored);
    }
}

#[test]
fn zero_padding_after_the_last_gzip_member_is_no_damage_and_is_hashed() {
    let stored = [gz(LOG), vec![0; 300_000]].concat();
    let folder = Folder::new().with("mail.log.1.gz", &stored);
    assert_reads(&folder.survey(), LOG, &stored);
}

#[test]
fn garbage_after_gzip_keeps_the_content_and_is_told() {
    let stored = [gz(LOG), b"not gzip".to_vec()].concat();
    let folder = Folder::new().with("mail.log.1.gz", &stored);
    let (bytes, finished) = read(&folder.survey().sources[0]);
    assert_eq!(bytes, LOG);
    assert_eq!(finished.sha256, sha256(&stored));
    assert!(finished.damage.unwrap().to_string().contains("after the end of its gzip data"));
}

#[test]
fn a_truncated_file_gives_its_head_its_hash_and_the_damage() {
    let log = lines(3_000_000);
    for (name, whole, least) in
        [("gzip", gz(&log), 1_000_000), ("xz", xz(&log), 500_000), ("zstd", zst(&log), 500_000), ("bzip2", bz2(&log), 500_000)]
    {
        let stored = &whole[..whole.len() * 2 / 3];
        let folder = Folder::new().with("mail.log", stored);
        let (bytes, finished) = read(&folder.survey().sources[0]);
        assert!(bytes.len() > least && log.starts_with(&bytes), "{name}: {} bytes", bytes.len());
        assert_eq!(finished.sha256, sha256(stored), "{name}");
        let damage = finished.damage.unwrap();
        assert!(damage.to_string().contains("cut off") && damage.to_string().contains(name), "{damage}");
    }
}

#[test]
fn a_flipped_bit_costs_what_follows_and_not_what_came_before() {
    let log = lines(3_000_000);
    for (name, mut stored) in [("gzip", gz(&log)), ("bzip2", bz2(&log)), ("xz", xz(&log)), ("zstd", zst(&log))] {
        let middle = stored.len() * 2 / 3;
        for byte in &mut stored[middle..middle + 64] {
            *byte = !*byte;
        }
        let folder = Folder::new().with("mail.log", &stored);
        let (bytes, finished) = read(&folder.survey().sources[0]);
        assert!(bytes.len() > 500_000, "{name}: {} bytes", bytes.len());
        assert!(log.starts_with(&bytes[..500_000]), "{name}");
        assert!(finished.damage.is_some(), "{name}");
        assert_eq!(finished.sha256, sha256(&stored), "{name}");
    }
}

#[test]
fn gzip_says_when_it_was_written_unless_it_says_zero() {
    let folder = Folder::new().with("a.gz", &gz_at(LOG, 0)).with("b.gz", &gz_at(LOG, 1_667_199_662));
    let survey = folder.survey();
    assert_eq!(survey.sources[0].hints.gzip_mtime, None);
    assert_eq!(survey.sources[1].hints.gzip_mtime, Some(Timestamp::from_seconds(1_667_199_662)));
    assert!(survey.sources[0].hints.file_mtime.is_some());
    assert_eq!(survey.sources[1].hints.name, "b.gz");
}

#[test]
fn rotated_logs_in_archives_of_every_kind_are_decoded_to_their_lines() {
    let inner = gz(OLD);
    let members: &[(&str, &[u8])] = &[("mail/mail.log", LOG), ("mail/mail.log.2.gz", &inner)];
    let tarred = tar(members);
    for (name, stored) in [
        ("tar", tarred.clone()),
        ("tar.gz", gz(&tarred)),
        ("tar.bz2", bz2(&tarred)),
        ("tar.xz", xz(&tarred)),
        ("tar.zst", zst(&tarred)),
        ("zip stored", zip(members, Stored)),
        ("zip deflated", zip(members, Deflated)),
        ("zip.gz", gz(&zip(members, Deflated))),
    ] {
        let folder = Folder::new().with("bundle", &stored);
        let survey = folder.survey();
        assert_eq!(survey.problems, [], "{name}");
        assert_eq!(folder.names(&survey), ["bundle!mail/mail.log", "bundle!mail/mail.log.2.gz"], "{name}");
        assert_source(&survey.sources[0], LOG, LOG);
        assert_source(&survey.sources[1], OLD, &inner);
        assert_eq!(survey.sources[1].hints.name, "mail.log.2.gz");
        let mut file = survey.files[0].clone();
        file.hash().unwrap();
        assert_eq!((file.sha256, file.source), (sha256(&stored), None), "{name}");
    }
}

#[test]
fn members_too_many_to_keep_are_decoded_again() {
    let (first, last) = (lines(300_000), lines(700_000));
    let (packed, inner) = (bz2(&last), tar(&[("deep.log", OLD)]));
    let stored = xz(&tar(&[("a.log", &first), ("b.tar", &inner), ("c.bz2", &packed), ("d.log", LOG)]));
    let folder = Folder::new().with("bundle", &stored);
    let survey = survey_with(&[folder.path().to_owned()], &Limits::default(), 0, &mut std::io::empty());
    assert_eq!(survey.problems, []);
    assert_eq!(folder.names(&survey), ["bundle!a.log", "bundle!b.tar!deep.log", "bundle!c.bz2", "bundle!d.log"]);
    for _ in 0..2 {
        // Backwards and forwards: the order of reading must not matter.
        assert_source(&survey.sources[3], LOG, LOG);
        assert_source(&survey.sources[0], &first, &first);
        assert_source(&survey.sources[1], OLD, OLD);
        assert_source(&survey.sources[2], &last, &packed);
    }
}

#[test]
fn archives_lie_in_archives() {
    let inner = tar(&[("mail.log", LOG)]);
    for (name, stored) in [
        ("zip in zip", zip(&[("in", &zip(&[("mail.log", LOG)], Deflated))], Deflated)),
        ("zip in tar", tar(&[("in", &zip(&[("mail.log", LOG)], Stored))])),
        ("zip in tar.gz", gz(&tar(&[("in", &zip(&[("mail.log", LOG)], Deflated))]))),
        ("tar.gz in zip", zip(&[("in", &gz(&inner))], Deflated)),
        ("tar in zip", zip(&[("in", &inner)], Stored)),
        ("tar.zst in tar.xz", xz(&tar(&[("in", &zst(&inner))]))),
    ] {
        let folder = Folder::new().with("out", &stored);
        let survey = folder.survey();
        assert_eq!(survey.problems, [], "{name}");
        assert_eq!(folder.names(&survey), ["out!in!mail.log"], "{name}");
        assert_source(&survey.sources[0], LOG, LOG);
    }
}

#[test]
fn archives_nested_too_deep_are_reported_not_opened() {
    let mut stored = zip(&[("mail.log", LOG)], Deflated);
    for _ in 0..4 {
        stored = zip(&[("a.zip", &stored)], Stored);
    }
    let folder = Folder::new().with("e.zip", &stored).with("f.log", LOG);
    let survey = folder.survey();
    assert_eq!(folder.names(&survey), ["f.log"]);
    assert!(survey.problems[0].serious && survey.problems[0].what.to_string().contains("inside 4 others"), "{:?}", survey.problems);
}

#[test]
fn a_member_time_beats_the_file_time_and_says_its_zone() {
    let folder = Folder::new().with("a.tar", &tar(&[("m", LOG)])).with("b.zip", &zip(&[("m", LOG)], Deflated));
    let survey = folder.survey();
    let (tar, zip) = (&survey.sources[0].hints, &survey.sources[1].hints);
    assert_eq!((tar.mtime(), tar.member_zone), (Some(Timestamp::from_seconds(1_667_199_600)), MemberZone::Utc));
    // 2022-10-31 16:01:20 on a clock of unknown zone.
    assert_eq!((zip.mtime(), zip.member_zone), (Some(Timestamp::from_seconds(1_667_232_080)), MemberZone::Unknown));
    assert!(zip.file_mtime.is_some());
}

#[test]
fn a_damaged_zip_member_is_told_by_its_checksum() {
    let mut stored = zip(&[("mail.log", LOG)], Stored);
    let at = memchr::memmem::find(&stored, b"postfix").unwrap();
    stored[at] = b'P';
    let folder = Folder::new().with("a.zip", &stored);
    let (bytes, finished) = read(&folder.survey().sources[0]);
    assert_eq!(bytes.len(), LOG.len());
    assert!(finished.damage.unwrap().to_string().contains("checksum"));
}

#[test]
fn a_zip_list_that_lies_about_a_size_is_told() {
    for (stated, words) in [(LOG.len() as u32 - 9, "where the archive's list says"), (LOG.len() as u32 + 9, "it ends after")] {
        let mut stored = zip(&[("mail.log", LOG)], Stored);
        let central = memchr::memmem::find(&stored, b"PK\x01\x02").unwrap();
        stored[central + 24..central + 28].copy_from_slice(&stated.to_le_bytes());
        let folder = Folder::new().with("a.zip", &stored);
        let (bytes, finished) = read(&folder.survey().sources[0]);
        assert_eq!(bytes, LOG);
        let damage = finished.damage.unwrap();
        assert!(damage.to_string().contains(words), "{damage}");
    }
}

#[test]
fn an_encrypted_zip_member_is_missing_evidence_and_the_others_are_read() {
    let mut stored = zip(&[("mail.log", LOG), ("mail.log.1", OLD)], Stored);
    let central = memchr::memmem::find(&stored, b"PK\x01\x02").unwrap();
    stored[central + 8] |= 1;
    let folder = Folder::new().with("a.zip", &stored);
    let survey = folder.survey();
    assert_eq!(folder.names(&survey), ["a.zip!mail.log.1"]);
    assert!(survey.problems[0].serious && survey.problems[0].what.to_string().contains("encrypted"));
    assert!(survey.problems[0].path.ends_with("a.zip!mail.log"));
}

#[test]
fn a_cut_off_archive_gives_the_members_that_are_left() {
    let big = lines(400_000);
    let whole = tar(&[("a.log", LOG), ("b.log", &big)]);
    for (name, stored) in [
        ("tar", whole[..200_000].to_vec()),
        ("tar.gz", {
            let z = gz(&whole);
            z[..z.len() / 2].to_vec()
        }),
    ] {
        let folder = Folder::new().with("bundle", &stored);
        let survey = folder.survey();
        assert_eq!(folder.names(&survey), ["bundle!a.log", "bundle!b.log"], "{name}");
        assert_source(&survey.sources[0], LOG, LOG);
        assert!(survey.problems.iter().any(|p| p.serious), "{name}");
        let (bytes, finished) = read(&survey.sources[1]);
        assert!(bytes.len() > 100_000 && big.starts_with(&bytes), "{name}: {}", bytes.len());
        assert!(finished.damage.unwrap().to_string().contains("it ends after"), "{name}");
        assert_eq!(finished.sha256, None, "{name}");
    }
}

#[test]
fn a_tar_cut_between_two_members_is_told() {
    let whole = tar(&[("a.log", LOG), ("b.log", OLD)]);
    let folder = Folder::new().with("a.tar", &whole[..1024]);
    let survey = folder.survey();
    assert_eq!(survey.sources.len(), 1);
    assert!(survey.problems[0].serious && survey.problems[0].what.to_string().contains("no end marker"));
}

#[test]
fn hard_links_in_a_tar_count_once_and_a_missing_target_is_told() {
    let mut builder = ::tar::Builder::new(Vec::new());
    let mut header = ::tar::Header::new_gnu();
    header.set_size(LOG.len() as u64);
    header.set_cksum();
    builder.append_data(&mut header.clone(), "mail.log", LOG).unwrap();
    header.set_size(0);
    header.set_entry_type(::tar::EntryType::Link);
    builder.append_link(&mut header.clone(), "again.log", "mail.log").unwrap();
    builder.append_link(&mut header, "lost.log", "gone.log").unwrap();
    let folder = Folder::new().with("a.tar", &builder.into_inner().unwrap());
    let survey = folder.survey();
    assert_eq!(folder.names(&survey), ["a.tar!mail.log"]);
    assert_eq!(survey.problems.len(), 1);
    assert!(survey.problems[0].path.ends_with("a.tar!lost.log") && survey.problems[0].serious);
}

#[test]
fn a_member_name_of_many_megabytes_does_not_fill_the_memory() {
    let mut header = ::tar::Header::new_gnu();
    header.set_entry_type(::tar::EntryType::GNULongName);
    header.set_size(40 << 20);
    header.set_cksum();
    let first = tar(&[("mail.log", LOG)]);
    let stored = gz(&[&first[..1024], header.as_bytes(), &vec![b'a'; 40 << 20], &first[..]].concat());
    let folder = Folder::new().with("a.tar.gz", &stored);
    let survey = folder.survey();
    assert_eq!(folder.names(&survey), ["a.tar.gz!mail.log"]);
    assert!(survey.problems[0].serious && survey.problems[0].what.to_string().contains("longer than 1 MiB"));
}

#[test]
fn a_cut_off_zip_is_a_problem_and_the_rest_goes_on() {
    let whole = zip(&[("mail.log", &lines(10_000))], Deflated);
    let folder = Folder::new().with("a.zip", &whole[..whole.len() / 2]).with("b.log", LOG);
    let survey = folder.survey();
    assert_eq!(folder.names(&survey), ["b.log"]);
    assert!(survey.problems[0].serious && survey.problems[0].what.to_string().contains("zip -FF"));
}

#[test]
fn a_member_path_is_only_a_name_and_twins_stay_apart() {
    let folder = Folder::new().with("a.tar", &tar(&[("../../x", LOG), ("m", LOG), ("m", OLD)]));
    let survey = folder.survey();
    assert_eq!(survey.problems, []);
    assert_eq!(folder.names(&survey), ["a.tar!../../x", "a.tar!m", "a.tar!m#2"]);
    assert_source(&survey.sources[2], OLD, OLD);
}

#[test]
fn empty_files_are_sources_and_an_archive_of_zeros_may_be_a_wiped_log() {
    let folder = Folder::new()
        .with("empty.gz", &gz(b""))
        .with("empty.log", b"")
        .with("empty.tar", &[0; 10_240])
        .with("empty.zip", &zip(&[], Stored))
        .with("full.tar", &tar(&[("empty", b"")]));
    let survey = folder.survey();
    assert_eq!(folder.names(&survey), ["empty.gz", "empty.log", "full.tar!empty"]);
    let serious: Vec<&str> = survey.problems.iter().filter(|p| p.serious).map(|p| p.path.as_str()).collect();
    assert!(matches!(serious[..], [only] if only.ends_with("empty.tar")), "{:?}", survey.problems);
    assert_source(&survey.sources[0], b"", &gz(b""));
    assert_source(&survey.sources[1], b"", b"");
    assert_source(&survey.sources[2], b"", b"");
}

#[test]
fn seven_zip_is_named_and_what_to_do() {
    let folder = Folder::new().with("a.log", b"7z\xbc\xaf\x27\x1c\0\x04");
    let survey = folder.survey();
    assert!(survey.sources.is_empty());
    assert!(survey.problems[0].what.to_string().contains("7z") && survey.problems[0].what.to_string().contains("unpack"));
}

#[test]
fn a_bomb_stops_at_the_ratio_and_says_which_option_raises_it() {
    let stored = gz(&vec![0; 200 << 20]);
    let folder = Folder::new().with("bomb.gz", &stored);
    let limits = Limits { ratio_max: 100, ..Limits::default() };
    let survey = survey_of(&[folder.path().to_owned()], &limits);
    let mut reader = survey.sources[0].open().unwrap();
    let mut block = vec![0; 1 << 20];
    let mut sum = 0;
    while let Ok(read @ 1..) = reader.read(&mut block) {
        sum += read;
    }
    let finished = reader.finish();
    assert!(((16 << 20)..(18 << 20)).contains(&sum), "{sum}");
    assert!(finished.damage.unwrap().to_string().contains("--limit-ratio"));
    assert_eq!(finished.sha256, sha256(&stored));
}

#[test]
fn a_bomb_inside_a_tar_or_zip_stops_too() {
    let zeros = vec![0; 100 << 20];
    let limits = Limits { ratio_max: 100, ..Limits::default() };
    for stored in [gz(&tar(&[("a", LOG), ("bomb", &zeros)])), zip(&[("a", LOG), ("bomb", &zeros)], Deflated)] {
        let folder = Folder::new().with("bundle", &stored);
        let survey = survey_of(&[folder.path().to_owned()], &limits);
        assert_source(&survey.sources[0], LOG, LOG);
        let (bytes, finished) = read(&survey.sources[1]);
        assert!(bytes.len() < 20 << 20);
        assert!(finished.damage.unwrap().to_string().contains("--limit-ratio"));
    }
}

#[test]
fn the_total_counts_each_byte_once_however_often_a_source_is_opened() {
    let log = lines(100_000);
    let folder = Folder::new().with("a.log", &log).with("b.log", &log);
    let limits = Limits { total_bytes_max: log.len() as u64 + 50_000, ..Limits::default() };
    let survey = survey_of(&[folder.path().to_owned()], &limits);
    for _ in 0..5 {
        assert_eq!(read(&survey.sources[0]).1.damage, None);
    }
    assert!(read(&survey.sources[1]).1.damage.unwrap().to_string().contains("--limit-bytes"));
}

#[test]
fn a_first_look_gives_the_head_and_no_hash() {
    let folder = Folder::new().with("a.log", &lines(100_000));
    let survey = folder.survey();
    let mut reader = survey.sources[0].open().unwrap();
    let mut head = [0; 1000];
    reader.read_exact(&mut head).unwrap();
    let finished = reader.finish();
    assert_eq!((finished.sha256, finished.decoded_bytes), (None, 1000));
    assert_eq!(read(&survey.sources[0]).1.decoded_bytes, survey.sources[0].size);
}

#[test]
fn a_file_that_grew_after_the_survey_is_told() {
    let folder = Folder::new().with("a.log", LOG);
    let survey = folder.survey();
    let folder = folder.with("a.log", &[LOG, OLD].concat());
    let (bytes, finished) = read(&survey.sources[0]);
    assert_eq!(bytes, [LOG, OLD].concat());
    assert_eq!(finished.sha256, sha256(&bytes));
    assert!(finished.damage.unwrap().to_string().contains("changed"));
    drop(folder);
    let error = survey.sources[0].open().err().unwrap().to_string();
    assert!(error.contains("a.log cannot be opened any more"), "{error}");
}

#[test]
fn the_order_of_arguments_and_naming_a_file_twice_change_nothing() {
    let folder = Folder::new().with("a/mail.log", LOG).with("b.zip", &zip(&[("y", LOG), ("x", OLD)], Stored)).with("c.log", OLD);
    let root = folder.path().to_owned();
    let mut paths =
        vec![root.join("c.log"), root.clone(), root.join("a"), root.join("./a/mail.log"), root.join("b.zip"), root.join("c.log")];
    let expected = ["a/mail.log", "b.zip!x", "b.zip!y", "c.log"];
    for _ in 0..paths.len() {
        paths.rotate_left(1);
        let survey = survey_of(&paths, &Limits::default());
        assert_eq!(folder.names(&survey), expected);
        assert_eq!(survey.files.len(), 3);
        assert_eq!(survey.problems, []);
        assert!(survey.sources.iter().enumerate().all(|(rank, s)| s.id.0 as usize == rank));
        assert_eq!(survey.sources.iter().map(|s| s.file).collect::<Vec<_>>(), [0, 1, 1, 2]);
    }
}

#[test]
fn a_single_files_hash_can_be_recorded_after_reading() {
    let folder = Folder::new().with("a.log", LOG);
    let mut survey = folder.survey();
    let (_, finished) = read(&survey.sources[0]);
    survey.record_hash(survey.sources[0].id, finished.sha256.unwrap());
    assert_eq!(survey.files[0].sha256, sha256(LOG));
}

#[test]
fn standard_input_is_held_and_may_be_an_archive() {
    let mut stdin: &[u8] = &gz(&tar(&[("mail.log", LOG)]));
    let survey = survey_with(&["-".into()], &Limits::default(), KEPT_BYTES_MAX, &mut stdin);
    assert_eq!(survey.sources[0].path, "-!mail.log");
    assert_source(&survey.sources[0], LOG, LOG);
    assert!(survey.files[0].sha256.is_some());
    let mut stdin = LOG;
    let survey = survey_with(&["-".into(), "-".into()], &Limits { total_bytes_max: 10, ..Limits::default() }, KEPT_BYTES_MAX, &mut stdin);
    assert_eq!((survey.sources.len(), survey.sources[0].size), (1, 10));
    assert!(survey.problems[0].serious && survey.problems[0].what.to_string().contains("more than 10 bytes"));
}

#[test]
fn a_path_that_does_not_exist_is_a_problem_and_the_others_are_read() {
    let folder = Folder::new().with("a.log", LOG);
    let survey = survey_of(&[folder.path().join("none"), folder.path().join("a.log")], &Limits::default());
    assert_eq!(survey.sources.len(), 1);
    assert!(survey.problems[0].serious && survey.problems[0].path.ends_with("none"));
}

#[cfg(unix)]
mod unix {
    use super::*;
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;
    use std::os::unix::fs::{PermissionsExt, symlink};

    #[test]
    fn symbolic_links_make_no_loop_and_lead_nowhere_else() {
        let elsewhere = Folder::new().with("foreign.log", OLD);
        let folder = Folder::new().with("a/mail.log", LOG);
        symlink(folder.path(), folder.path().join("a/loop")).unwrap();
        symlink("mail.log", folder.path().join("a/current")).unwrap();
        let survey = folder.survey();
        assert_reads(&survey, LOG, LOG);
        symlink(elsewhere.path().join("foreign.log"), folder.path().join("b")).unwrap();
        symlink("gone", folder.path().join("c")).unwrap();
        let survey = folder.survey();
        assert_eq!(folder.names(&survey), ["a/mail.log"]);
        assert!(survey.problems[0].what.to_string().contains("outside the evidence") && survey.problems[0].serious);
        assert!(survey.problems[1].what.to_string().contains("does not exist") && survey.problems[1].serious);
    }

    #[test]
    fn a_symbolic_link_given_as_argument_is_followed() {
        let folder = Folder::new().with("a/mail.log", LOG);
        symlink("a", folder.path().join("link")).unwrap();
        let survey = survey_of(&[folder.path().join("link")], &Limits::default());
        assert_reads(&survey, LOG, LOG);
        assert_eq!(folder.names(&survey), ["link/mail.log"]);
        let survey = survey_of(&[folder.path().join("link"), folder.path().join("a")], &Limits::default());
        assert_eq!(folder.names(&survey), ["a/mail.log"]);
    }

    #[test]
    fn names_that_are_not_utf8_stay_apart() {
        let folder = Folder::new();
        for (name, content) in [(b"m\xff".as_slice(), LOG), (b"m\xfe", OLD)] {
            std::fs::write(folder.path().join(OsStr::from_bytes(name)), content).unwrap();
        }
        let survey = folder.survey();
        assert_eq!(folder.names(&survey), ["m\\xfe", "m\\xff"]);
        assert_source(&survey.sources[0], OLD, OLD);
        assert_source(&survey.sources[1], LOG, LOG);
    }

    #[test]
    fn an_unreadable_file_is_a_problem() {
        let folder = Folder::new().with("a.log", LOG).with("b.log", LOG);
        let path = folder.path().join("a.log");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o000)).unwrap();
        if std::fs::File::open(&path).is_ok() {
            // The superuser reads everything.
            return;
        }
        let survey = folder.survey();
        assert_eq!(folder.names(&survey), ["b.log"]);
        assert!(survey.problems[0].serious && survey.problems[0].what.to_string().contains("cannot be read"));
    }

    #[test]
    fn sockets_are_passed_over_with_a_note() {
        let folder = Folder::new().with("a.log", LOG);
        let _socket = std::os::unix::net::UnixListener::bind(folder.path().join("log.sock")).unwrap();
        let survey = folder.survey();
        assert_eq!(folder.names(&survey), ["a.log"]);
        assert!(!survey.problems[0].serious && survey.problems[0].what.to_string().contains("passed over"));
        let survey = survey_of(&[folder.path().join("log.sock")], &Limits::default());
        assert!(survey.problems[0].serious);
    }
}
