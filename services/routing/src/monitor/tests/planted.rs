//! Deliberate bugs in the rules, and what the monitor says of them on real actors.

use super::*;
use crate::{monitor::beside::pairs, story};
use centro_proto::events::InvariantBroken;
use centro_routing_core::{
    QueueEffect,
    mutants::{Mutant, plant},
};

/// A story told with a bug planted.
fn with(mutant: Mutant, yaml: &str) -> Vec<InvariantBroken> {
    plant(Some(mutant));
    let incidents = story::incidents(yaml);
    plant(None);
    incidents
}

const TWO_QUEUES: &str = "
story: Two calls for one agent
given:
  queues:
    support: {}
    sales: {}
  agents:
    bruno: {queues: [support, sales], phone: {answers_after: 5s, talks: 60s}}
when:
  - {at: 1s, call: anna, queue: support}
  - {at: 3s, call: dario, queue: sales}
then:
  - {at: 4m, waiting_count: {support: 0}}
";

#[test]
fn an_agent_who_is_given_two_calls_is_an_incident_told_once() {
    assert_eq!(story::incidents(TWO_QUEUES), []);
    let incidents = with(Mutant::GrantTwice, TWO_QUEUES);
    let first = incidents.first().expect("no incident");
    assert_eq!(first.rule, "two_reservations");
    assert_eq!(first.agent_ids.len(), 1);
    assert!(!first.description.is_empty() && first.node == "story");
    let words: Vec<_> = first.window.iter().map(|step| step.what.as_str()).collect();
    assert!(words.contains(&"heard bid"), "{words:?}");
    assert!(
        first.window.iter().any(|step| step.by.starts_with("que_")),
        "{words:?}"
    );
    // Two minutes of it, and each subject once a minute.
    assert!(incidents.len() <= 8, "{}", incidents.len());
}

const ONE_QUEUE: &str = "
story: A caller and a free agent
given:
  queues:
    support: {}
  agents:
    bruno: {queues: [support], phone: {answers_after: 5s, talks: 60s}}
when:
  - {at: 1s, call: anna, queue: support, patience: 30s}
then:
  - {at: 60s, waiting_count: {support: 0}}
";

#[test]
fn a_caller_who_waits_beside_a_free_agent_is_an_incident() {
    assert_eq!(story::incidents(ONE_QUEUE), []);
    let incidents = with(Mutant::NeverAsks, ONE_QUEUE);
    let rules: Vec<_> = incidents.iter().map(|i| i.rule.as_str()).collect();
    // The queue also says that it has nobody for the agent.
    assert!(rules.contains(&"waits_beside_free"), "{rules:?}");
    let beside = incidents.iter().find(|i| i.rule == "waits_beside_free");
    let beside = beside.unwrap();
    assert_eq!((beside.agent_ids.len(), beside.queue_ids.len()), (1, 1));
    assert!(beside.contact_id.starts_with("con_"));
    let mut words = beside.window.iter().map(|step| step.what.as_str());
    assert!(words.any(|word| word == "heard attach"));
}

/// The caller and the agent are seen beside each other at 5 s and 10 s; the machine sleeps from 12 s until 72 s.
#[test]
fn what_was_seen_before_the_machine_slept_is_seen_anew() {
    let incidents_until = |end: &str| {
        let yaml = ONE_QUEUE
            .replace("30s", "5m")
            .replace("60s, waiting_count: {support: 0}", end);
        plant(Some(Mutant::NeverAsks));
        let incidents = story::incidents_when(&yaml, Duration::from_secs(12), |_, _| {
            tokio::spawn(tokio::time::advance(Duration::from_secs(60)));
        });
        plant(None);
        beside(&incidents).len()
    };
    assert_eq!(incidents_until("76s, waiting_count: {support: 1}"), 0);
    assert_eq!(incidents_until("90s, waiting_count: {support: 1}"), 1);
}

#[test]
fn a_pass_while_a_contact_asks_is_noticed() {
    let (settings, cfg) = (QueueSettings::new(QUEUE), Deadlines::default());
    let mut queue = Queue::recover(settings, 1, QueueRecord::default(), &cfg, at(0));
    plant(Some(Mutant::NeverAsks));
    for message in [attach(ANNA, 1), presence()] {
        queue.handle(&cfg, at(3), message);
    }
    plant(None);
    let pass = AgentMessage::Pass {
        queue: QUEUE,
        epoch: 1,
        ver: 1,
    };
    let says = judged(&queue, |out| {
        out.send.push(QueueEffect::Agent(BRUNO, pass));
    });
    assert_eq!(says, Some(Broken::FalsePass));
    assert_eq!(pairs(&queue), [(BRUNO, 1, ANNA)]);
}

/// In so many queues somebody waits for a skill that nobody has, beside an agent who is ready; in the last ones for anybody.
fn many_queues(fit_nobody: usize, fit: usize, until: &str) -> String {
    use std::fmt::Write;
    let mut yaml = "
story: Many queues
given:
  skills: [french]
  queues:
"
    .to_owned();
    let names: Vec<_> = (1..=fit_nobody + fit).map(|n| format!("q{n}")).collect();
    for name in &names {
        writeln!(yaml, "    {name}: {{}}").unwrap();
    }
    let all = names.join(", ");
    yaml += &format!("  agents:\n    bruno: {{queues: [{all}]}}\nwhen:\n");
    for (n, name) in names.iter().enumerate() {
        let needs = if n < fit_nobody {
            ", needs: [\"french >= 5\"]"
        } else {
            ""
        };
        writeln!(yaml, "  - {{at: 1s, call: c-{name}, queue: {name}{needs}}}").unwrap();
    }
    yaml + &format!("then:\n  - {{at: {until}, waiting: {{q1: [c-q1]}}}}\n")
}

/// The queues in which somebody waits beside a free agent, as the monitor tells of them.
fn beside(incidents: &[InvariantBroken]) -> Vec<&str> {
    let beside = incidents.iter().filter(|i| i.rule == "waits_beside_free");
    beside.map(|i| i.queue_ids[0].as_str()).collect()
}

#[test]
fn a_fault_in_the_two_hundredth_queue_is_found_in_its_turn_and_the_wait_is_counted() {
    let incidents = with(Mutant::NeverAsks, &many_queues(199, 1, "40s"));
    let [queue] = beside(&incidents)[..] else {
        panic!("{incidents:#?}")
    };
    let queue = queue.parse::<QueueId>().unwrap();
    assert_eq!(queue.as_u128() & 0xffff, 200);
    // At the first of the looks 136 others had to wait for their turn.
    let waited = incidents::counted("centro_routing_invariants_unseen_total", "queue");
    assert!(waited >= 136, "{waited}");
}

#[test]
fn suspects_give_their_place_to_those_whose_turn_it_is() {
    let incidents = with(Mutant::NeverAsks, &many_queues(0, 100, "2m"));
    let different: std::collections::BTreeSet<_> = beside(&incidents).into_iter().collect();
    // Two minutes have room for 120 incidents, and 64 queues for one turn.
    assert!(different.len() > 64, "{}", different.len());
}
