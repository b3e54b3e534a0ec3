//! Contact-centre unit tests (spec U15): stories in YAML, played against the real rules and actors in virtual time.
//!
//! A story says how things stand (`given`), what happens (`when`) and what must be seen (`then`). It is played on a node
//! that hosts routing and nothing else, on one thread whose clock jumps from deadline to deadline: the same story always
//! goes the same way, and a day takes seconds. Callers are real edges of the routing protocol and speak to the real
//! doors; people's requests pass the doors too, with people's rights. Only the phones are a model.
//!
//! | part | does |
//! |---|---|
//! | `text` | the YAML |
//! | `plan` | what it means, checked |
//! | `stage` | the centre |
//! | `caller`, `phone`, `person` | who acts in it |
//! | `recorder`, `log` | what is seen |
//! | `check`, `judge` | expected against seen |
//! | `report` | what people read |
//!
//! The format: `docs/stories.md`.

mod caller;
mod check;
mod judge;
mod log;
mod person;
mod phone;
mod plan;
mod recorder;
mod report;
mod stage;
mod text;
mod translate;

pub use report::{Failure, Outcome, Report};

use crate::Settings;
#[cfg(test)]
use crate::router::{Actor, Router};
use judge::judge;
use log::Fact;
use plan::{Action, PRELUDE, Plan, Request, Step};
use report::SHOWN;
use stage::Stage;
use std::{
    fs, io,
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

/// Plays every story of these files and folders, one after the other.
///
/// # Errors
/// A file or folder cannot be read, or no story is there.
pub fn play(paths: &[PathBuf]) -> io::Result<Report> {
    play_with(paths, &Settings::default())
}

/// Plays them with routing set otherwise.
///
/// # Errors
/// A file or folder cannot be read, or no story is there.
pub fn play_with(paths: &[PathBuf], settings: &Settings) -> io::Result<Report> {
    let begun = Instant::now();
    let mut report = Report::default();
    for path in files(paths)? {
        let yaml = fs::read_to_string(&path).map_err(|error| {
            io::Error::new(error.kind(), format!("{}: {error}", path.display()))
        })?;
        let outcome = play_one(&path.display().to_string(), &yaml, settings);
        report.virtual_ms += outcome.virtual_ms;
        report.stories.push(outcome);
    }
    report.took_ms = millis(begun.elapsed());
    Ok(report)
}

/// Plays one story. `file` is how it is called in what is reported.
pub fn play_one(file: &str, yaml: &str, settings: &Settings) -> Outcome {
    let mut outcome = Outcome {
        file: file.to_owned(),
        story: String::new(),
        checks: 0,
        virtual_ms: 0,
        failures: Vec::new(),
    };
    let plan = match plan::read(yaml) {
        Ok(plan) => plan,
        Err(wrong) => {
            outcome.failures.push(Failure {
                line: wrong.line,
                at: None,
                about: "this is no story".to_owned(),
                expected: String::new(),
                seen: wrong.text,
                before: Vec::new(),
            });
            return outcome;
        }
    };
    outcome.story.clone_from(&plan.title);
    outcome.virtual_ms = millis(plan.lasts);
    let checked = plan.checks.iter().map(|c| c.claims.len() + c.never.len());
    outcome.checks = checked.sum();
    match on_virtual_time(plan, settings.clone(), |_| {}) {
        Ok(told) => outcome.failures = told.failures,
        Err(error) => outcome.failures.push(Failure {
            line: None,
            at: None,
            about: "the story could not be played".to_owned(),
            expected: String::new(),
            seen: format!("{error:#}"),
            before: Vec::new(),
        }),
    }
    outcome
}

/// The stories, in order of name within a folder.
fn files(paths: &[PathBuf]) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for path in paths {
        if !path.is_dir() {
            found.push(path.clone());
            continue;
        }
        let mut inside = Vec::new();
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            let is_story = |p: &Path| p.extension().is_some_and(|e| e == "yaml" || e == "yml");
            if path.is_dir() || is_story(&path) {
                inside.push(path);
            }
        }
        inside.sort();
        found.extend(files(&inside)?);
    }
    if found.is_empty() && !paths.is_empty() {
        let text = "there is no story in these folders: stories end in .yaml";
        return Err(io::Error::new(io::ErrorKind::NotFound, text));
    }
    Ok(found)
}

/// A story that was told.
struct Told {
    failures: Vec<Failure>,
    /// Everything that was seen.
    #[cfg(test)]
    facts: Vec<(Duration, Fact)>,
    /// What the monitor saw.
    #[cfg(test)]
    incidents: Vec<centro_proto::events::InvariantBroken>,
}

/// What the monitor tells of a story.
#[cfg(all(test, feature = "mutants"))]
pub(crate) fn incidents(yaml: &str) -> Vec<centro_proto::events::InvariantBroken> {
    incidents_when(yaml, Duration::ZERO, |_, _| {})
}

/// What the monitor tells of a story in which something goes wrong at a moment. The fault is given the ids behind names.
#[cfg(test)]
pub(crate) fn incidents_when(
    yaml: &str,
    at: Duration,
    fault: impl FnOnce(&Arc<Router>, &dyn Fn(&str) -> Actor) + Send + 'static,
) -> Vec<centro_proto::events::InvariantBroken> {
    let plan = plan::read(yaml).unwrap_or_else(|wrong| panic!("{}", wrong.text));
    let told = on_virtual_time(plan, Settings::default(), move |stage| {
        let stage = stage.clone();
        tokio::spawn(async move {
            stage.wait_until(at).await;
            stage.go_wrong(fault);
        });
    });
    told.unwrap_or_else(|error| panic!("{error:#}")).incidents
}

/// Plays it on this thread, with a clock that goes on when nothing is left to do.
fn on_virtual_time(
    plan: Plan,
    settings: Settings,
    opened: impl FnOnce(&Arc<Stage>),
) -> anyhow::Result<Told> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .start_paused(true)
        .build()?;
    let runtime = Arc::new(runtime);
    let system = actix::System::with_tokio_rt(|| runtime);
    system.block_on(tell(plan, settings, opened))
}

async fn tell(
    mut plan: Plan,
    settings: Settings,
    opened: impl FnOnce(&Arc<Stage>),
) -> anyhow::Result<Told> {
    let stage = Stage::open(&mut plan, &settings)?;
    opened(&stage);
    recorder::begin(&stage).await?;
    let mut failures = log_in_all(&stage, &plan).await;
    let judges: Vec<_> = plan
        .checks
        .into_iter()
        .map(|check| tokio::spawn(judge(stage.clone(), check, plan.lasts, plan.clock)))
        .collect();
    for step in plan.steps {
        stage.wait_until(step.at).await;
        failures.extend(take(&stage, step, plan.clock).await);
    }
    for judge in judges {
        failures.extend(judge.await?);
    }
    let broken = stage.with_log(|log| log.broken.clone());
    failures.extend(broken.into_iter().take(SHOWN).map(|(at, what)| Failure {
        line: None,
        at: Some(time_of_day(plan.clock, at)),
        about: "what may never be".to_owned(),
        expected: String::new(),
        seen: what,
        before: before(&stage, at, plan.clock),
    }));
    stage.close().await;
    Ok(Told {
        failures,
        #[cfg(test)]
        facts: stage.with_log(|log| log.facts.clone()),
        #[cfg(test)]
        incidents: stage.incidents(),
    })
}

/// Agents log in before the story begins, one after the other: nobody is idle as long as another.
async fn log_in_all(stage: &Arc<Stage>, plan: &Plan) -> Vec<Failure> {
    let mut failures = Vec::new();
    let ready = plan.agents.iter().filter(|agent| agent.logged_in.is_some());
    let pause = PRELUDE / u32::try_from(ready.count() + 2).unwrap_or(u32::MAX);
    let pause = pause.clamp(Duration::from_millis(1), Duration::from_millis(100));
    for agent in &plan.agents {
        if let Some(every) = agent.desktop {
            person::sit_at_desktop(stage, agent.id, every);
        }
        let Some(ready) = agent.logged_in else {
            continue;
        };
        let request = Request::LogIn {
            agent: agent.id,
            queues: Vec::new(),
            ready,
            desktop: agent.desktop.is_some(),
        };
        if let Err(reason) = person::ask(stage, Some(agent.id), request).await {
            failures.push(Failure {
                line: None,
                at: None,
                about: format!("{} logs in before the story begins", agent.name),
                expected: "done".to_owned(),
                seen: format!("refused: {reason}"),
                before: Vec::new(),
            });
        }
        tokio::time::sleep(pause).await;
    }
    failures
}

/// Does what is written.
async fn take(stage: &Arc<Stage>, step: Step, clock: Duration) -> Option<Failure> {
    let at = stage.moment();
    stage.saw(Fact::Told(step.words.clone()));
    let done = match step.action {
        Action::Call(caller) => {
            stage.call(*caller);
            Ok(())
        }
        Action::HangUp(caller) => tell_caller(stage, caller, centro_edge::Command::HungUp),
        Action::Star(caller) => tell_caller(stage, caller, centro_edge::Command::Star),
        Action::Ask { by, request } => {
            let answer = person::ask(stage, by, request).await;
            return refused(
                stage,
                answer,
                step.refused,
                (step.line, step.words),
                at,
                clock,
            );
        }
        Action::Phone(agent, touch) => phone::touch(stage, agent, touch),
        Action::Desktop(agent, open) => {
            stage.lose_desktop(agent, !open);
            Ok(())
        }
        Action::Configure(queue, rules) => {
            stage.configure(queue, *rules);
            Ok(())
        }
        Action::Delete(queue) => {
            stage.delete(queue);
            Ok(())
        }
        Action::Assign(agent, queue, assigned) => {
            stage.assign(agent, queue, assigned);
            Ok(())
        }
        Action::Teach(agent, skill, level) => {
            stage.teach(agent, skill, level);
            Ok(())
        }
        Action::LogInToAnyQueue(may) => {
            stage.let_log_in_anywhere(may);
            Ok(())
        }
        Action::KillQueue(queue) => {
            stage.kill_queue(queue);
            Ok(())
        }
        Action::KillAgent(agent) => {
            stage.kill_agent(agent);
            Ok(())
        }
    };
    let seen = done.err()?;
    Some(Failure {
        line: Some(step.line),
        at: Some(time_of_day(clock, at)),
        about: step.words,
        expected: String::new(),
        seen,
        before: before(stage, at, clock),
    })
}

fn tell_caller(
    stage: &Stage,
    caller: centro_kernel::ContactId,
    command: centro_edge::Command,
) -> Result<(), String> {
    match stage.callers.mailbox(caller) {
        Some(mailbox) => {
            mailbox.tell(command);
            Ok(())
        }
        None => Err("the caller is not there".to_owned()),
    }
}

/// Whether a request was refused as it should have been.
fn refused(
    stage: &Stage,
    answer: Result<(), String>,
    expected: Option<String>,
    (line, words): (u64, String),
    at: Duration,
    clock: Duration,
) -> Option<Failure> {
    if let Err(reason) = &answer {
        stage.saw(Fact::Told(format!("refused: {reason}")));
    }
    let said = |reason: &Option<String>| match reason {
        None => "done".to_owned(),
        Some(reason) => format!("refused: {reason}"),
    };
    let seen = answer.err();
    (seen != expected).then(|| Failure {
        line: Some(line),
        at: Some(time_of_day(clock, at)),
        about: words,
        expected: said(&expected),
        seen: said(&seen),
        before: before(stage, at, clock),
    })
}

/// The last things that were seen until a moment.
fn before(stage: &Stage, at: Duration, clock: Duration) -> Vec<String> {
    stage.with_log(|log| {
        let until = log.facts.iter().filter(|(when, _)| *when <= at);
        let lines: Vec<_> = until
            .map(|(when, fact)| format!("{}  {}", time_of_day(clock, *when), fact.words()))
            .collect();
        lines[lines.len().saturating_sub(SHOWN)..].to_vec()
    })
}

/// `09:00:05.250`.
fn time_of_day(clock: Duration, at: Duration) -> String {
    let millis = millis(clock + at);
    let (seconds, millis) = (millis / 1000, millis % 1000);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}.{millis:03}", seconds % 60)
}

fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const BUSY_HOUR: &str = include_str!("../stories/busy_hour.yaml");

    fn told(yaml: &str) -> Told {
        let plan = plan::read(yaml).unwrap();
        let told = on_virtual_time(plan, Settings::default(), |_| {}).unwrap();
        assert!(told.failures.is_empty(), "{:#?}", told.failures);
        told
    }

    #[test]
    fn the_same_story_always_goes_the_same_way_and_another_seed_another() {
        let first = told(BUSY_HOUR).facts;
        assert!(first.len() > 500, "{}", first.len());
        let again = told(BUSY_HOUR).facts;
        let differs = first.iter().zip(&again).find(|(a, b)| a != b);
        assert_eq!(differs, None);
        assert_eq!(first.len(), again.len());
        let other = told(&BUSY_HOUR.replace("seed: 3", "seed: 4")).facts;
        assert_ne!(first, other);
    }
}
