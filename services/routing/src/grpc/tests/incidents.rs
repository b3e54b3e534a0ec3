//! Broken rules become incidents, on real actors.

use super::*;
use centro_kernel::QueueId;

/// An edge that connects its caller with whoever was offered, also for another caller.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_contact_with_two_agents_is_an_incident_with_what_led_to_it() {
    let floor = Floor::new(1, 2).await;
    let mut events = floor.events().await;
    floor.log_in(0).await;
    floor.log_in(1).await;
    let (mut first, mut second) = (
        floor.call(contact(1), 1).await,
        floor.call(contact(2), 1).await,
    );
    for call in [&mut first, &mut second] {
        let reservation = call.offer().await.reservation.unwrap();
        assert!(floor.alert(&reservation, contact(1)).await.ok);
        assert!(floor.connect(&reservation, contact(1)).await);
    }
    let incident = events.next_incident().await;
    assert_eq!(incident.rule, "two_agents");
    assert_eq!(incident.contact_id, contact(1).to_string());
    let mut agents = incident.agent_ids.clone();
    agents.sort();
    assert_eq!(agents, [user(0).to_string(), user(1).to_string()]);
    assert!(incident.queue_ids.is_empty() && incident.node == "floor");
    for agent in agents {
        let mut steps = incident.window.iter().filter(|step| step.by == agent);
        assert!(steps.any(|step| {
            step.what == "told connected" && step.contact_id == incident.contact_id
        }));
    }
    let times: Vec<_> = incident.window.iter().map(|s| s.time).collect();
    assert!(times.is_sorted_by_key(|t| t.map(|t| (t.seconds, t.nanos))));
    assert!(
        incident
            .window
            .iter()
            .all(|s| s.queue_id.parse::<QueueId>().is_ok() || s.queue_id.is_empty())
    );
}
