//! From a fault to an incident, on real actors in virtual time.

use super::*;
use crate::{
    actor::Fail,
    monitor::sweep::breach,
    router::{Actor, Router},
    story,
};
use centro_proto::events::InvariantBroken;

/// What is told of a story in which this goes wrong ten seconds after its beginning.
fn told(
    yaml: &str,
    fault: impl FnOnce(&Arc<Router>, &dyn Fn(&str) -> Actor) + Send + 'static,
) -> Vec<InvariantBroken> {
    story::incidents_when(yaml, Duration::from_secs(10), fault)
}

fn rules(incidents: &[InvariantBroken]) -> Vec<&str> {
    incidents.iter().map(|i| i.rule.as_str()).collect()
}

/// What `/metrics` says now.
pub(super) fn counted(metric: &str, label: &str) -> u64 {
    let families = prometheus::gather();
    let family = families.iter().find(|family| family.name() == metric);
    let metrics = family.map(|family| family.get_metric()).unwrap_or_default();
    let of = metrics
        .iter()
        .find(|m| m.get_label().iter().any(|l| l.value() == label));
    of.map_or(0, |m| m.get_counter().get_value() as u64)
}

/// The queue has to relax what Anna needs at 25 s.
const RELAXED: &str = "
story: A caller for whom nobody is there
given:
  skills: [french]
  queues:
    support: {}
  agents:
    bruno: {queues: [support]}
    carla: {queues: [support], skills: {french: 9}, ready: false}
when:
  - {at: 5s, call: anna, queue: support, needs: [\"french >= 5 for 20s\", \"french >= 3\"]}
then:
  - {at: 60s, waiting: {support: [anna]}}
";

#[test]
fn a_queue_whose_wake_up_is_lost_or_that_hangs_is_an_incident() {
    assert_eq!(rules(&told(RELAXED, |_, _| {})), [""; 0]);
    let lost = told(RELAXED, |router, id| {
        router.fail(id("support"), Fail::LoseWakeUp)
    });
    assert_eq!(rules(&lost), ["contact_stuck"]);
    assert_eq!((lost[0].queue_ids.len(), lost[0].agent_ids.len()), (1, 0));
    let mut window = lost[0].window.iter();
    assert!(window.any(|step| step.what == "heard attach"));
    let hangs = told(RELAXED, |router, id| router.fail(id("support"), Fail::Hang));
    assert_eq!(rules(&hangs), ["contact_stuck"]);
}

/// Bruno's wrap-up ends at 18 s.
const WRAP_UP: &str = "
story: A call and its wrap-up
given:
  queues:
    support: {wrap_up: {mode: timed, seconds: 10s}}
  agents:
    bruno: {queues: [support], phone: {answers_after: 1s, talks: 5s}}
when:
  - {at: 2s, call: anna, queue: support}
then:
  - {at: 50s, waiting_count: {support: 0}}
";

#[test]
fn an_agent_whose_wake_up_is_lost_or_who_hangs_is_an_incident() {
    assert_eq!(rules(&told(WRAP_UP, |_, _| {})), [""; 0]);
    let lost = told(WRAP_UP, |router, id| {
        router.fail(id("bruno"), Fail::LoseWakeUp)
    });
    assert_eq!(rules(&lost), ["agent_stuck"]);
    assert_eq!((lost[0].queue_ids.len(), lost[0].agent_ids.len()), (0, 1));
    let mut window = lost[0].window.iter();
    assert!(window.any(|step| step.what.contains("connect")));
    let hangs = told(WRAP_UP, |router, id| router.fail(id("bruno"), Fail::Hang));
    assert_eq!(rules(&hangs), ["agent_stuck"]);
}

#[test]
fn an_actor_that_died_is_not_stuck() {
    let killed = told(WRAP_UP, |router, id| router.crash(id("bruno")));
    assert_eq!(rules(&killed), [""; 0]);
    let killed = told(RELAXED, |router, id| router.crash(id("support")));
    assert_eq!(rules(&killed), [""; 0]);
}

const TWO_QUEUES: &str = "
story: Two queues without agents
given:
  queues:
    support: {}
    sales: {}
  agents:
    bruno: {queues: [support], logged_in: false}
when:
  - {at: 1s, configure: support, set: {weight: 2}}
then:
  - {at: 60s, agents: {ready: 0}}
";

#[test]
fn a_contact_that_waits_in_two_queues_for_long_is_an_incident() {
    let incidents = told(TWO_QUEUES, |router, id| {
        for name in ["support", "sales"] {
            let Actor::Queue(queue) = id(name) else {
                unreachable!()
            };
            for contact in [ANNA, DARIO] {
                router.tell_queue(TENANT, queue, attach(contact, 0));
            }
        }
        // Dario's edge says in time that he left one of them.
        let (router, sales) = (router.clone(), id("sales"));
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(20)).await;
            let Actor::Queue(sales) = sales else {
                unreachable!()
            };
            let left = QueueMessage::Left {
                contact: DARIO,
                attach_no: 1,
                reason: LeftReason::Abandoned,
                agent: None,
            };
            router.tell_queue(TENANT, sales, left);
        });
    });
    assert_eq!(rules(&incidents), ["two_states"]);
    assert_eq!(incidents[0].contact_id, ANNA.to_string());
    assert_eq!(incidents[0].queue_ids.len(), 2);
    let window = incidents[0].window.iter();
    let heard = window.filter(|s| s.what == "heard attach" && s.contact_id == ANNA.to_string());
    assert_eq!(heard.count(), 2);
}

#[test]
fn beyond_sixty_incidents_a_minute_breaches_are_counted_only() {
    // Not seen by the monitor itself, so that nobody else counts it here.
    let rule = Broken::TwoTalks;
    let metric = "centro_routing_invariants_broken_total";
    let before = counted(metric, rule.name());
    let yaml = TWO_QUEUES.replace("60s", "80s");
    let incidents = told(&yaml, move |router, id| {
        let breaks = {
            let (router, support) = (router.clone(), id("support"));
            move |contact: u128| {
                let contact = Some(ContactId::from_u128(contact));
                let who = (support, Vec::new());
                let breach = breach(rule, router.now(), TENANT, who, contact);
                router.monitor.as_ref().unwrap().broken(breach);
            }
        };
        (1..=61).for_each(&breaks);
        tokio::spawn(async move {
            tokio::time::sleep(Duration::from_secs(59)).await;
            breaks(62);
            tokio::time::sleep(Duration::from_secs(1)).await;
            breaks(63);
        });
    });
    let contacts: Vec<_> = incidents.iter().map(|i| i.contact_id.clone()).collect();
    let raised = (1..=60).chain([63]).map(ContactId::from_u128);
    assert_eq!(contacts, raised.map(|c| c.to_string()).collect::<Vec<_>>());
    let suppressed: Vec<_> = incidents.iter().map(|i| i.suppressed).collect();
    assert_eq!(suppressed[59..], [0, 2]);
    assert_eq!(counted(metric, rule.name()) - before, 63);
}
