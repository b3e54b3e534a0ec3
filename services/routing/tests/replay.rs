//! The decision log of what the stories bring about, and what becomes of it in other hands (spec U7).

#![allow(clippy::unwrap_used)]

use centro_routing::{
    DecisionLogSettings, Settings,
    replay::{self, Asked, Found},
    story,
};
use sha2::{Digest, Sha256};
use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

fn story_file(name: &str) -> PathBuf {
    PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/stories")).join(name)
}

/// Everything finds room.
fn recorded(folder: &Path) -> Settings {
    Settings {
        decision_log: DecisionLogSettings {
            enabled: true,
            folder: folder.to_owned(),
            files: 1_000,
            queue: 1_000_000,
            ..DecisionLogSettings::default()
        },
        ..Settings::default()
    }
}

fn play(paths: &[PathBuf], settings: &Settings) {
    let report = story::play_with(paths, settings).unwrap();
    assert_eq!(report.failed(), 0, "\n{}", report.text(false));
}

/// The files of a log, the oldest first.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn verify(files: &[PathBuf]) -> Found {
    let asked = Asked {
        files: files.to_owned(),
        ..Asked::default()
    };
    replay::verify(&asked).unwrap()
}

/// The log of one short story, as its lines.
fn a_log() -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let path = story_file("P15_rona_keeps_the_place.yaml");
    play(&[path], &recorded(folder.path()));
    let text = fs::read_to_string(&files(folder.path())[0]).unwrap();
    text.lines().map(str::to_owned).collect()
}

fn verify_text(text: &str) -> Found {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.jsonl");
    fs::write(&file, text).unwrap();
    verify(&[file])
}

fn verify_lines(lines: &[String]) -> Found {
    verify_text(&format!("{}\n", lines.join("\n")))
}

/// Hashes all lines anew, as a forger would.
fn hash_anew(lines: &mut [String]) {
    let mut before = "0".repeat(64);
    for line in lines {
        let rest = line.split_off(75); // {"hash":"<64 characters>",
        let hash = Sha256::new().chain_update(&before).chain_update(&rest);
        before = hex::encode(hash.finalize());
        *line = format!("{{\"hash\":\"{before}\",{rest}");
    }
}

#[test]
fn whatever_the_stories_bring_about_is_decided_again_bit_for_bit() {
    let folder = tempfile::tempdir().unwrap();
    play(&[story_file("")], &recorded(folder.path()));
    let files = files(folder.path());
    let found = verify(&files);
    assert_eq!(found.differences, 0, "{:?}", found.first);
    assert_eq!((found.gaps, found.unverified), (0, 0));
    // Most of them in a whole day of a thousand calls.
    assert!(found.steps > 30_000, "{}", found.steps);
    assert!(found.decisions > 1_300, "{}", found.decisions);
    assert!(files.len() >= 40, "{}", files.len());
}

#[test]
fn nobody_who_called_is_in_the_log() {
    let mut callers = 0;
    for line in a_log() {
        for caller in line.split("\"caller\":{").skip(1) {
            let fields = caller.split('}').next().unwrap();
            for field in fields.split(',') {
                let text = field.split(':').nth(1).unwrap().trim_matches('"');
                assert!(text.is_empty() || text.starts_with('~'), "{line}");
                callers += usize::from(!text.is_empty());
            }
        }
    }
    assert!(
        callers > 0,
        "the story's callers have neither number nor name"
    );
}

#[test]
fn a_flipped_byte_a_removed_line_and_swapped_lines_are_found() {
    let lines = a_log();
    assert_eq!(verify_lines(&lines).differences, 0);
    assert!(lines.len() > 30, "{}", lines.len());
    for n in 0..lines.len() {
        for at in [3, 20, 80, lines[n].len() / 2, lines[n].len() - 2] {
            let mut text = lines.join("\n").into_bytes();
            let begins: usize = lines[..n].iter().map(|line| line.len() + 1).sum();
            text[begins + at] ^= 1;
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("log.jsonl");
            text.push(b'\n');
            fs::write(&file, text).unwrap();
            assert!(verify(&[file]).differences > 0, "byte {at} of line {n}");
        }
        let mut removed = lines.clone();
        removed.remove(n);
        let found = verify_lines(&removed);
        if n + 1 == lines.len() {
            assert!(found.notes.iter().any(|note| note.contains("no end")));
        } else {
            assert!(found.differences > 0, "line {n} was removed");
            let mut swapped = lines.clone();
            swapped.swap(n, n + 1);
            assert!(
                verify_lines(&swapped).differences > 0,
                "line {n} was swapped"
            );
        }
    }
}

#[test]
fn a_decision_that_was_altered_is_found_however_the_chain_is_mended() {
    let lines = a_log();
    let offered = lines.iter().position(|l| l.contains("ContactOffered"));
    let offered = offered.unwrap();
    let mut altered = lines.clone();
    let other = "\"version\":7777";
    let version = altered[offered].find("\"version\":").unwrap();
    let end = version + altered[offered][version..].find([',', '}']).unwrap();
    altered[offered].replace_range(version..end, other);

    let found = verify_lines(&altered);
    assert!(found.first.unwrap().text.contains("the hash is wrong"));
    hash_anew(&mut altered);
    let found = verify_lines(&altered);
    assert_eq!(found.differences, 1);
    let first = found.first.unwrap();
    assert_eq!(first.line, offered as u64 + 1);
    assert!(first.text.contains("the log says"), "{first}");
    assert!(first.text.contains("decision.version"), "{first}");
    assert!(first.text.contains("7777"), "{first}");

    // Without its line the steps of the queue no longer follow each other.
    let mut removed = lines.clone();
    removed.remove(offered);
    hash_anew(&mut removed);
    let first = verify_lines(&removed).first.unwrap();
    assert!(first.text.contains("steps were removed"), "{first}");

    let mut untouched = lines;
    hash_anew(&mut untouched);
    assert_eq!(verify_lines(&untouched).differences, 0);
}

#[test]
fn a_last_line_that_was_cut_off_is_said_and_the_rest_is_verified() {
    let lines = a_log();
    let whole = verify_lines(&lines);
    let text = lines[..lines.len() - 1].join("\n");
    for cut in [1, 40, 100] {
        let found = verify_text(&text[..text.len() - cut]);
        assert_eq!(found.differences, 0, "{:?}", found.first);
        assert!(found.steps + 1 >= whole.steps, "{}", found.steps);
        assert!(found.notes.iter().any(|note| note.contains("cut off")));
    }
}

#[test]
fn of_an_empty_log_nobody_says_that_it_is_right() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("log.jsonl");
    fs::write(&file, "").unwrap();
    let asked = Asked {
        files: vec![file],
        ..Asked::default()
    };
    assert!(replay::verify(&asked).is_err());
}

#[test]
fn files_take_turns_and_each_can_be_verified_alone() {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = recorded(folder.path());
    settings.decision_log.file_mib = 1;
    play(&[story_file("busy_hour.yaml")], &settings);
    let all = files(folder.path());
    assert!(all.len() > 2, "{}", all.len());
    let found = verify(&all);
    assert_eq!(
        (found.differences, found.unverified),
        (0, 0),
        "{:?}",
        found.first
    );
    let alone = verify(&all[1..2]);
    assert_eq!(alone.differences, 0, "{:?}", alone.first);
    assert!(alone.steps > 0);
    let without = verify(&[all[0].clone(), all[2].clone()]);
    let first = without.first.unwrap();
    assert!(first.text.contains("the file before this one"), "{first}");

    settings.decision_log.files = 2;
    play(&[story_file("P15_rona_keeps_the_place.yaml")], &settings);
    let kept = files(folder.path());
    assert_eq!(kept.len(), 2);
    assert!(kept[1] > all[all.len() - 1], "{kept:?}");
}

#[test]
fn the_log_tells_what_became_of_a_contact_and_why() {
    let folder = tempfile::tempdir().unwrap();
    let path = story_file("P15_rona_keeps_the_place.yaml");
    play(&[path], &recorded(folder.path()));
    let files = files(folder.path());
    let text = fs::read_to_string(&files[0]).unwrap();
    let contact = text.split("\"con_").nth(1).unwrap();
    let contact = format!("con_{}", &contact[..32]);
    let asked = |tenant: Option<&str>| Asked {
        files: files.clone(),
        tenant: tenant.map(|tenant| tenant.parse().unwrap()),
        contact: Some(contact.parse().unwrap()),
    };
    let found = replay::verify(&asked(None)).unwrap();
    let story = found.story.join("\n");
    assert!(story.contains("waits in que_"), "{story}");
    assert!(story.contains("The only free agent who fits."), "{story}");
    let others = replay::verify(&asked(Some(&format!("ten_{:032x}", 77)))).unwrap();
    assert_eq!((others.steps, others.differences), (0, 0));
    assert!(others.story.is_empty());
}

/// Says to the process that is killed where to write.
const KILLED_LOG: &str = "CENTRO_TEST_KILLED_LOG";

#[test]
fn a_process_that_was_killed_leaves_a_log_that_can_be_verified() {
    // The process that is killed is this test once more.
    if let Some(folder) = std::env::var_os(KILLED_LOG) {
        loop {
            play(
                &[story_file("full_day.yaml")],
                &recorded(Path::new(&folder)),
            );
        }
    }
    let folder = tempfile::tempdir().unwrap();
    let this = "a_process_that_was_killed_leaves_a_log_that_can_be_verified";
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", this])
        .env(KILLED_LOG, folder.path())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let begun = Instant::now();
    let written = || -> u64 {
        let sizes = files(folder.path()).into_iter().map(fs::metadata);
        sizes.map(|size| size.map_or(0, |size| size.len())).sum()
    };
    while written() < 300_000 {
        assert!(
            begun.elapsed() < Duration::from_secs(60),
            "nothing is written"
        );
        std::thread::yield_now();
    }
    child.kill().unwrap();
    child.wait().unwrap();
    let found = verify(&files(folder.path()));
    assert_eq!(found.differences, 0, "{:?}", found.first);
    assert!(found.steps > 100, "{}", found.steps);
    let says = |text| found.notes.iter().any(|note: &String| note.contains(text));
    assert!(says("killed"), "{:?}", found.notes);
}
