//! An event wakes those it concerns and nobody else: with ten consumers in a process and fifteen events a call, anything
//! else costs more than the calls.

#![allow(clippy::unwrap_used)] // a test may stop at the first surprise

use centro_bus::{Event, EventBus, LocalBus};
use centro_kernel::Timestamp;
use std::{
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::SeqCst},
    },
    task::{Context, Poll, Wake},
};

#[derive(Default)]
struct Wakes(AtomicUsize);

impl Wake for Wakes {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, SeqCst);
    }
}

impl Wakes {
    fn poll<F: Future + ?Sized>(self: &Arc<Self>, future: Pin<&mut F>) -> Poll<F::Output> {
        future.poll(&mut Context::from_waker(&self.clone().into()))
    }

    fn count(&self) -> usize {
        self.0.load(SeqCst)
    }
}

fn event(kind: &str) -> Event {
    let data = prost_types::Duration::default();
    Event::new(None, kind, "one", Timestamp::from_millis(1), &data)
}

#[tokio::test]
async fn only_whom_an_event_concerns_is_woken() {
    let bus = LocalBus::default();
    let (watching, counting) = (Arc::new(Wakes::default()), Arc::new(Wakes::default()));
    let mut watcher = bus.watch(&["-.telephony.#"]).await.unwrap();
    let mut group = bus.subscribe("facts", &["-.routing.#"]).await.unwrap();
    let mut seen = watcher.next();
    let mut given = group.next();
    assert!(watching.poll(seen.as_mut()).is_pending());
    assert!(counting.poll(given.as_mut()).is_pending());

    bus.publish(event("routing.contact.queued")).await.unwrap();
    assert_eq!((watching.count(), counting.count()), (0, 1));
    let delivery = given.await.unwrap();

    // Neither an event for somebody else nor an acknowledgement concerns the watcher.
    bus.publish(event("identity.user.changed")).await.unwrap();
    delivery.ack().await;
    assert_eq!((watching.count(), counting.count()), (0, 1));

    bus.publish(event("telephony.call.ended")).await.unwrap();
    assert_eq!((watching.count(), counting.count()), (1, 1));
    assert!(watching.poll(seen.as_mut()).is_ready());
}
