//! A contact's stay: it attaches, comes back, leaves, is lost, and goes on under another owner.

use super::*;

#[test]
fn who_left_stays_away_and_is_told_again() {
    let mut hall = Hall::new();
    hall.arrive(10);
    let left = QueueMessage::Left {
        contact: contact(10),
        attach_no: 1,
        reason: LeftReason::Abandoned,
        agent: None,
    };
    let out = hall.say(left.clone());
    assert!(matches!(
        out.events[0],
        Event::ContactLeft {
            reason: LeftReason::Abandoned,
            ..
        }
    ));
    let again = hall.say(left);
    assert!(again.events.is_empty() && again.fence);
    let late = hall.say(QueueMessage::Attach(attach(10, 1, 0)));
    assert!(matches!(
        late.send[0],
        QueueEffect::Edge(_, EdgeMessage::LeftOk { attach_no: 1 })
    ));
    hall.say(QueueMessage::Attach(attach(10, 2, 0)));
    assert_eq!(hall.order(), [10], "a new attachment is a new stay");
}

#[test]
fn answered_names_the_agent() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    hall.grant(1, 1);
    let out = hall.left_with(10, LeftReason::Answered, Some(1));
    assert!(matches!(out.events[0], Event::ContactLeft { agent: Some(a), .. } if a == agent(1)));
    hall.arrive(11);
    let out = hall.left_with(11, LeftReason::Abandoned, Some(1));
    let nobody = matches!(out.events[0], Event::ContactLeft { agent: None, .. });
    assert!(nobody, "who was not answered was answered by nobody");
}

#[test]
fn a_broken_stream_keeps_the_place_and_is_not_offered_until_it_is_back() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.now = at(5);
    hall.arrive(11);
    hall.say(QueueMessage::Detached {
        contact: contact(10),
        attach_no: 1,
    });
    hall.presence(1, 1, true);
    assert_eq!(offered(&hall.grant(1, 1).1), Some(11));
    let out = hall.say(QueueMessage::Attach(attach(10, 2, 0)));
    assert!(out.events.is_empty(), "it never left");
    assert!(hall.wait(30_000).iter().all(|o| o.events.is_empty()));
    assert_eq!(hall.order()[0], 10);
}

#[test]
fn an_edge_that_does_not_come_back_is_a_system_failure() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    hall.grant(1, 1);
    hall.say(QueueMessage::Detached {
        contact: contact(10),
        attach_no: 1,
    });
    let outs = hall.wait(10_000);
    let out = outs.last().unwrap();
    assert!(matches!(
        out.events[0],
        Event::ContactLeft {
            reason: LeftReason::SystemFailure,
            ..
        }
    ));
    assert!(released(out));
    hall.say(QueueMessage::Attach(attach(10, 1, 0)));
    assert!(
        hall.order().is_empty(),
        "its last attachment may still have been on its way"
    );
}

#[test]
fn a_contact_that_comes_back_releases_what_it_does_not_hold() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    let (reservation, _) = hall.grant(1, 1);
    let back = Attach {
        holding: vec![reservation],
        ..attach(10, 2, 0)
    };
    assert!(!released(&hall.say(QueueMessage::Attach(back))));
    assert!(released(&hall.say(QueueMessage::Attach(attach(10, 3, 0)))));
}

#[test]
fn after_a_takeover_nothing_is_awarded_before_all_are_back() {
    let mut hall = Hall::new();
    let mut record = QueueRecord::default();
    for (n, since) in [(10, 0), (11, 5)] {
        hall.say(QueueMessage::Attach(attach(n, 1, since)));
        let entry = hall.queue.entry(contact(n)).cloned().unwrap();
        record.entries.insert(entry.contact, Arc::new(entry));
    }
    hall.queue = Queue::recover(settings(), 2, record, &hall.cfg, hall.now);
    hall.presence(1, 1, true);
    assert!(bids(&hall.say(QueueMessage::Attach(attach(11, 2, 5)))).is_empty());
    assert_eq!(bids(&hall.say(QueueMessage::Attach(attach(10, 2, 0)))), [1]);
    assert_eq!(hall.order(), [10, 11]);
}

#[test]
fn after_the_hold_the_others_are_served() {
    let mut hall = Hall::new();
    hall.arrive(10);
    let entry = hall.queue.entry(contact(10)).cloned().unwrap();
    let entries = BTreeMap::from([(entry.contact, Arc::new(entry))]);
    let record = QueueRecord {
        entries,
        left: BTreeMap::new(),
    };
    hall.queue = Queue::recover(settings(), 2, record, &hall.cfg, hall.now);
    hall.presence(1, 1, true);
    assert!(bids(&hall.arrive(11)).is_empty());
    assert_eq!(hall.wait(2_000).iter().flat_map(bids).next(), Some(1));
}

#[test]
fn graves_are_tended() {
    let mut hall = Hall::new();
    for n in 0..100 {
        hall.arrive(n);
        let reason = LeftReason::Abandoned;
        hall.say(QueueMessage::Left {
            contact: contact(n),
            attach_no: 1,
            reason,
            agent: None,
        });
        hall.wait(1_000);
    }
    assert!(hall.queue.left.len() < 65, "{}", hall.queue.left.len());
    assert_eq!(hall.queue.burials.len(), hall.queue.left.len());
}

#[test]
fn an_idle_queue_has_no_deadline() {
    let mut hall = Hall::new();
    for n in 1..=10 {
        hall.presence(n, 1, true);
    }
    assert_eq!(hall.queue.next_due(), None);
    hall.arrive(10);
    hall.grant(1, 1);
    let reason = LeftReason::Answered;
    hall.say(QueueMessage::Left {
        contact: contact(10),
        attach_no: 1,
        reason,
        agent: None,
    });
    assert_eq!(hall.queue.next_due(), None);
}

#[test]
fn a_stream_that_does_not_come_back_costs_the_place_and_nobody_else_anything() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    let (reservation, _) = hall.grant(1, 1);
    hall.say(QueueMessage::Detached {
        contact: contact(10),
        attach_no: 1,
    });
    let outs = hall.wait(10_000);
    let out = &outs[0];
    let dead = |e: &QueueEffect| matches!(e, QueueEffect::Agent(_, AgentMessage::EdgeDead { .. }));
    assert!(!out.send.iter().any(dead), "the agent may be talking");
    assert!(released(out), "{reservation} was offered in vain");
    // The same attachment is over, the edge's next one is as good as any.
    let late = hall.say(QueueMessage::Attach(attach(10, 1, 0)));
    assert!(matches!(
        late.send[0],
        QueueEffect::Edge(_, EdgeMessage::LeftOk { attach_no: 1 })
    ));
    let back = hall.say(QueueMessage::Attach(attach(10, 2, 0)));
    assert!(matches!(
        back.send[0],
        QueueEffect::Edge(_, EdgeMessage::Attached { attach_no: 2, .. })
    ));
}

#[test]
fn a_dead_edge_leaves_for_good_and_its_agents_hear_of_it() {
    let mut hall = Hall::new();
    hall.presence(1, 1, true);
    hall.arrive(10);
    hall.grant(1, 1);
    let out = hall.say(QueueMessage::EdgeDead {
        contact: contact(10),
    });
    let dead = |e: &QueueEffect| matches!(e, QueueEffect::Agent(_, AgentMessage::EdgeDead { .. }));
    assert!(out.send.iter().any(dead));
    let late = hall.say(QueueMessage::Attach(attach(10, 9, 0)));
    assert!(matches!(
        late.send[0],
        QueueEffect::Edge(_, EdgeMessage::LeftOk { attach_no: 9 })
    ));
}

#[test]
fn the_hold_ends_with_the_last_who_is_missing_however_it_ends() {
    for how in 0..3 {
        let mut hall = Hall::new();
        hall.arrive(10);
        hall.arrive(11);
        hall.take_over();
        hall.ready(1);
        hall.return_(11);
        assert!(hall.queue.is_holding());
        let out = match how {
            0 => hall.left(10, LeftReason::Abandoned),
            1 => hall.say(QueueMessage::EdgeDead {
                contact: contact(10),
            }),
            _ => hall.return_(10),
        };
        assert_eq!(bids(&out), [1], "{how}");
    }
}

#[test]
fn who_does_not_come_back_after_a_takeover_is_given_up_in_the_end() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.arrive(11);
    hall.take_over();
    hall.return_(11);
    let outs = hall.wait(9_999);
    assert_eq!(all_gone(&outs), []);
    assert_eq!(all_gone(&hall.wait(1)), [(10, LeftReason::SystemFailure)]);
    assert_eq!(hall.order(), [11]);
}

/// The contact left, came again, and its edge died with that on its way: the last word of the dead is not heard.
#[test]
fn an_edge_that_died_after_coming_again_leaves_nobody_behind() {
    let mut hall = Hall::new();
    hall.arrive(10);
    hall.left(10, LeftReason::TransferredByUser);
    let dead = QueueMessage::EdgeDead {
        contact: contact(10),
    };
    assert!(hall.say(dead.clone()).fence);
    assert!(hall.say(dead).changes.is_empty(), "once is enough");
    hall.attach(attach(10, 5, 0));
    assert!(hall.order().is_empty());
}

#[test]
fn an_older_attachment_is_not_heard() {
    let mut hall = Hall::new();
    hall.attach(attach(10, 4, 0));
    let out = hall.attach(attach(10, 3, 0));
    assert!(out.send.is_empty() && out.changes.is_empty());
    let left = QueueMessage::Left {
        contact: contact(10),
        attach_no: 3,
        reason: LeftReason::Abandoned,
        agent: None,
    };
    assert!(hall.say(left).events.is_empty());
    let detached = QueueMessage::Detached {
        contact: contact(10),
        attach_no: 3,
    };
    assert_eq!(hall.say(detached), QueueOut::default());
    assert!(hall.entry(10).attached);
}

#[test]
fn a_repeated_attachment_is_told_its_place_and_changes_nothing() {
    let mut hall = Hall::new();
    hall.ready(1);
    hall.arrive(10);
    let (reservation, _) = hall.take(1);
    let again = hall.attach(attach(10, 1, 0));
    assert!(again.changes.is_empty() && again.events.is_empty() && again.fence);
    assert_eq!(hall.entry(10).offers, [reservation]);
}

#[test]
fn coming_back_with_other_needs_begins_them_anew() {
    let mut hall = Hall::new();
    hall.ready_with(1, &[(FRENCH, 5), (ITALIAN, 5)]);
    hall.stands(1, Standing::Paused);
    hall.arrive_with(10, |a| {
        a.needs = steps([(&[speaks(FRENCH, 5)], Some(10)), (&[], None)]);
    });
    hall.wait(10_000);
    assert_eq!(hall.entry(10).step, 1);
    hall.attach(Attach {
        needs: Arc::new(Needs::all_of(vec![speaks(ITALIAN, 5)])),
        ..attach(10, 2, 0)
    });
    assert_eq!(
        (hall.entry(10).step, hall.entry(10).relax_due),
        (0, None),
        "these have no end"
    );
}

#[test]
fn the_stored_record_gives_the_same_line() {
    let mut hall = Hall::with(QueueSettings {
        ageing: Ageing {
            max_wait: Some(secs(30)),
            ..Ageing::default()
        },
        ..settings()
    });
    for n in 10..20 {
        hall.arrive_with(n, |a| a.priority = u32::try_from(n % 3).unwrap());
        hall.wait(2_000);
    }
    hall.say(QueueMessage::SetPriority {
        contact: contact(13),
        priority: 9,
    });
    hall.wait(12_000); // some go first by now
    hall.detach(15);
    let before = hall.order();
    hall.take_over();
    assert_eq!(hall.order(), before);
    for n in [19, 12, 10, 18, 11, 17, 13, 16, 14, 15] {
        hall.return_(n);
        assert_eq!(hall.order(), before);
    }
}

#[test]
fn an_exclusion_that_its_edge_tells_is_kept_and_ends_in_time() {
    let mut hall = Hall::new();
    hall.ready(1);
    let out = hall.arrive_with(10, |a| a.excluded = vec![(agent(1), secs(10))]);
    assert!(bids(&out).is_empty());
    assert!(hall.wait(9_999).is_empty());
    assert_eq!(hall.wait(1).iter().flat_map(bids).collect::<Vec<_>>(), [1]);
}

#[test]
fn every_deadline_that_is_told_leads_on() {
    let mut hall = Hall::with(QueueSettings {
        retry_delay: secs(5),
        leave_empty: EmptyRule::NoneAvailable,
        leave_grace: Duration::ZERO,
        ageing: Ageing {
            max_wait: Some(Duration::ZERO),
            ..Ageing::default()
        },
        terms: Arc::new(Terms {
            ring: Duration::ZERO,
            ..Terms::default()
        }),
        ..settings()
    });
    hall.cfg.ring_margin = secs(1);
    hall.ready(1);
    hall.arrive_with(10, |a| {
        a.needs = steps([(&[], Some(0)), (&[], Some(0)), (&[], Some(0))]);
        a.excluded = vec![(agent(2), Duration::ZERO)];
    });
    assert!(hall.wait(0).len() < 10);
    let (rang, _) = hall.take(1);
    hall.stands(1, Standing::Paused);
    assert_eq!(
        hall.wait(10_000).len(),
        10,
        "the offer is said again each second"
    );
    hall.offer_ended(10, rang, OfferEnd::NoAnswer);
    assert_eq!(all_gone(&hall.wait(0)), [(10, LeftReason::LeftEmpty)]);
}
