//! What became of callers who were to be served by a floor of agents.

use super::{Outcome, Stage};
use crate::{
    figures::{Times, millis},
    floor::Floor,
    phone::{Dialled, Ending},
};
use anyhow::Result;
use std::{
    collections::{BTreeMap, HashMap, HashSet},
    time::{Duration, Instant},
};

/// The longest silence that nobody takes for a broken call.
pub const GAP_MS: f64 = 200.0;

/// Offers to two phones may cross on their way by so much, and by what the machine holds one of them up.
const CROSSING: Duration = Duration::from_millis(100);

/// Calls that were placed to a floor, all over.
pub struct Judged {
    placed: usize,
    lost: BTreeMap<String, usize>,
    doubled: usize,
    offered_again: usize,
    overtaken: usize,
    agents: usize,
    gaps: Times,
    agents_gap: Option<f64>,
    unheard: usize,
}

impl Judged {
    /// Looks at them.
    pub async fn of(calls: &[Result<Dialled>], floor: &Floor, stage: &Stage) -> Self {
        let answered = floor
            .phones
            .wait_answered(calls.len(), Duration::from_secs(2))
            .await;
        let mut talks: HashMap<&str, usize> = HashMap::new();
        for call in answered.iter().filter(|call| call.heard.the_other()) {
            *talks.entry(&call.caller).or_default() += 1;
        }
        for call in answered
            .iter()
            .filter(|call| talks[call.caller.as_str()] > 1)
        {
            let (after, lasted) = (
                call.invited - answered[0].invited,
                call.ended - call.invited,
            );
            let (caller, phone) = (&call.caller, &call.phone);
            eprintln!(
                "{caller} talked to {phone} after {after:.1?} for {lasted:.1?}, and to another"
            );
        }
        let mut lost = BTreeMap::new();
        for call in calls {
            let why = match call {
                Err(fault) => format!("not sent: {fault}"),
                Ok(call) => match call.ending {
                    Ending::ByThem if talks.contains_key(call.from.as_str()) => continue,
                    Ending::ByThem => "cut before an agent answered".to_owned(),
                    Ending::ByUs | Ending::Endless => "never served".to_owned(),
                    Ending::Refused(status) => format!("refused with {status}"),
                },
            };
            *lost.entry(why).or_default() += 1;
        }
        let mut good: Vec<_> = calls.iter().flatten().collect();
        // A caller enters the queue when answered; INVITEs that were sent close together may be taken in another order.
        good.sort_by_key(|call| call.answered);
        let rung = floor.phones.timing().rung();
        let callers: HashSet<_> = rung.iter().map(|rung| &rung.caller).collect();
        let unheard = good.iter().filter(|call| !call.heard.the_other()).count();
        Self {
            placed: calls.len(),
            lost,
            doubled: talks.values().filter(|talks| **talks > 1).count(),
            offered_again: rung.len() - callers.len(),
            overtaken: overtaken(&good, floor, CROSSING + stage.pulse.late()),
            agents: floor.agents.len(),
            gaps: good.iter().map(|call| call.heard.longest_gap).collect(),
            agents_gap: answered
                .iter()
                .map(|call| millis(call.heard.longest_gap))
                .reduce(f64::max),
            unheard,
        }
    }

    /// Notes what must hold of them whatever happened: nobody lost, nobody twice, in order, and sound without a gap.
    pub fn note(&self, stage: &Stage, outcome: &mut Outcome) {
        self.note_served(outcome);
        outcome.count("overtaken", self.overtaken);
        // An offer that was under way when its owner fell is made anew; the others that were under way come first.
        let (overtaken, agents) = (self.overtaken, self.agents);
        outcome.must(
            overtaken <= agents,
            format!("overtaken: {overtaken}, with {agents} agents"),
        );
        outcome.none("unheard", self.unheard);
        // A machine that holds a thread up so long holds sound up too, where it is sent and where it is heard.
        let late = millis(stage.pulse.late());
        outcome.most("machine_late_ms_max", Some(late));
        let limit = GAP_MS + 2.0 * late;
        outcome.at_most("rtp_gap_ms_max", self.gaps.quantile_ms(100), limit);
        outcome.most("rtp_gap_ms_p99", self.gaps.quantile_ms(99));
        outcome.most("rtp_gap_ms_max_agents", self.agents_gap);
    }

    /// Notes only that nobody is lost and nobody is served twice.
    pub fn note_served(&self, outcome: &mut Outcome) {
        outcome.count("calls", self.placed);
        outcome.none("lost", self.lost.values().sum());
        if !self.lost.is_empty() {
            outcome.must(false, format!("lost: {:?}", self.lost));
        }
        outcome.none("doubled", self.doubled);
        outcome.count("offered_again", self.offered_again);
    }
}

/// Callers who called later and whose call reached an agent's phone first by more than a crossing. The worst is told.
fn overtaken(calls: &[&Dialled], floor: &Floor, crossing: Duration) -> usize {
    let mut first: HashMap<String, Instant> = HashMap::new();
    for rung in floor.phones.timing().rung() {
        first.entry(rung.caller).or_insert(rung.at);
    }
    let rung = calls
        .iter()
        .filter_map(|call| first.get_key_value(&call.from));
    let mut latest: Option<(&String, &Instant)> = None;
    let (mut overtaken, mut worst) = (0, None);
    for (caller, at) in rung {
        if let Some((passed, later)) = latest.filter(|(_, later)| *at + crossing < **later) {
            overtaken += 1;
            worst = worst.max(Some((*later - *at, passed, caller)));
        }
        if latest.is_none_or(|(_, later)| at > later) {
            latest = Some((caller, at));
        }
    }
    if let Some((by, passed, caller)) = worst {
        eprintln!("{caller} was offered {by:.1?} before {passed}, who had called earlier");
    }
    overtaken
}

/// The times without an offer that end between two moments, the longest of them: when it ended, after the first moment, and how
/// long it was.
pub fn longest_pause(floor: &Floor, from: Instant, to: Instant) -> Option<(Duration, Duration)> {
    let rung = floor.phones.timing().rung();
    let mut times: Vec<Instant> = rung.iter().map(|rung| rung.at).collect();
    times.sort_unstable();
    // What nobody ended in time lasts until then.
    times.push(to);
    let pauses = times
        .windows(2)
        .filter(|pair| pair[1] > from && pair[0] < to);
    let longest = pauses.max_by_key(|pair| pair[1] - pair[0])?;
    Some((longest[1] - from, longest[1] - longest[0]))
}
