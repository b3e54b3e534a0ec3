//! How stories ended, for people and for machines.

use serde::Serialize;
use std::{fmt::Write as _, time::Duration};

/// Events shown before a check that failed.
pub const SHOWN: usize = 20;

/// How all stories ended.
#[derive(Debug, Default, Serialize)]
pub struct Report {
    /// Each story, in the order in which they were told.
    pub stories: Vec<Outcome>,
    /// How much time passed in them, in milliseconds.
    pub virtual_ms: u64,
    /// How much time it took to tell them, in milliseconds.
    pub took_ms: u64,
}

/// How a story ended.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// Its file.
    pub file: String,
    /// What it tells.
    pub story: String,
    /// How many things were checked.
    pub checks: usize,
    /// How much time passed in it, in milliseconds.
    pub virtual_ms: u64,
    /// What was wrong; nothing, when it came true.
    pub failures: Vec<Failure>,
}

/// What was wrong.
#[derive(Debug, Serialize)]
pub struct Failure {
    /// Where in the file, when that is known.
    pub line: Option<u64>,
    /// When, in the time of day of the story.
    pub at: Option<String>,
    /// What it is about.
    pub about: String,
    /// What should be; empty where that is not the point.
    pub expected: String,
    /// What was seen.
    pub seen: String,
    /// The last things that happened before, in plain words.
    pub before: Vec<String>,
}

struct Colours {
    red: &'static str,
    green: &'static str,
    dim: &'static str,
    bold: &'static str,
    off: &'static str,
}

const COLOURED: Colours = Colours {
    red: "\x1b[31m",
    green: "\x1b[32m",
    dim: "\x1b[2m",
    bold: "\x1b[1m",
    off: "\x1b[0m",
};
const PLAIN: Colours = Colours {
    red: "",
    green: "",
    dim: "",
    bold: "",
    off: "",
};

impl Report {
    /// How many stories did not come true.
    pub fn failed(&self) -> usize {
        let failed = |story: &&Outcome| !story.failures.is_empty();
        self.stories.iter().filter(failed).count()
    }

    /// For people.
    pub fn text(&self, coloured: bool) -> String {
        let colours = if coloured { &COLOURED } else { &PLAIN };
        let mut text = String::new();
        for story in &self.stories {
            story.write(&mut text, colours);
        }
        let failed = self.failed();
        let colour = if failed == 0 {
            colours.green
        } else {
            colours.red
        };
        let plural = if self.stories.len() == 1 {
            "story"
        } else {
            "stories"
        };
        let _ = writeln!(
            text,
            "{colour}{} {plural}, {failed} failed{}, {} of virtual time in {:.1} s",
            self.stories.len(),
            colours.off,
            long(self.virtual_ms),
            Duration::from_millis(self.took_ms).as_secs_f64(),
        );
        text
    }
}

impl Outcome {
    fn write(&self, text: &mut String, c: &Colours) {
        if self.failures.is_empty() {
            let _ = writeln!(
                text,
                "{}ok{}      {}  {}",
                c.green, c.off, self.file, self.story
            );
            return;
        }
        let _ = writeln!(
            text,
            "{}FAILED{}  {}  {}",
            c.red, c.off, self.file, self.story
        );
        for failure in &self.failures {
            failure.write(text, &self.file, c);
        }
    }
}

impl Failure {
    fn write(&self, text: &mut String, file: &str, c: &Colours) {
        let place = match self.line {
            Some(line) => format!("{file}:{line}"),
            None => file.to_owned(),
        };
        let at = self.at.as_ref().map(|at| format!(" at {at}"));
        let at = at.unwrap_or_default();
        let _ = writeln!(text, "\n  {}{place}{at}: {}{}", c.bold, self.about, c.off);
        if self.expected.is_empty() {
            for line in self.seen.lines() {
                let _ = writeln!(text, "    {}{line}{}", c.red, c.off);
            }
        } else {
            let width = self.expected.chars().count().max("expected".len());
            let _ = writeln!(text, "    {:<width$}   seen", "expected");
            let _ = writeln!(
                text,
                "    {}{:<width$}{}   {}{}{}",
                c.green, self.expected, c.off, c.red, self.seen, c.off
            );
        }
        if !self.before.is_empty() {
            let _ = writeln!(text, "    {}What led there:{}", c.dim, c.off);
        }
        for line in &self.before {
            let _ = writeln!(text, "    {}{line}{}", c.dim, c.off);
        }
        text.push('\n');
    }
}

/// `3 h 20 min`.
fn long(millis: u64) -> String {
    let seconds = millis / 1000;
    match (seconds / 3600, seconds / 60 % 60, seconds % 60) {
        (0, 0, seconds) => format!("{seconds} s"),
        (0, minutes, seconds) => format!("{minutes} min {seconds} s"),
        (hours, minutes, _) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_shows_what_was_expected_beside_what_was_seen_and_what_led_there() {
        let failure = Failure {
            line: Some(24),
            at: Some("09:00:20.000".into()),
            about: "the state of bruno".into(),
            expected: "not_responding".into(),
            seen: "ready".into(),
            before: vec!["09:00:05.000  bruno's phone rings for anna".into()],
        };
        let outcome = Outcome {
            file: "rona.yaml".into(),
            story: "Who does not answer is set aside".into(),
            checks: 3,
            virtual_ms: 12_000_000,
            failures: vec![failure],
        };
        let report = Report {
            stories: vec![outcome],
            virtual_ms: 12_000_000,
            took_ms: 800,
        };
        let expected = "\
FAILED  rona.yaml  Who does not answer is set aside

  rona.yaml:24 at 09:00:20.000: the state of bruno
    expected         seen
    not_responding   ready
    What led there:
    09:00:05.000  bruno's phone rings for anna

1 story, 1 failed, 3 h 20 min of virtual time in 0.8 s
";
        assert_eq!(report.text(false), expected);
        assert!(report.text(true).contains("\u{1b}[31mready"));
    }
}
