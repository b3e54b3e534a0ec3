//! Where streams wait until it is known whose they are. Small, so that strangers cannot take the places of people. Whoever
//! comes is let in: when there is no room, who has waited longest has to go, for a client that means it says who it is at
//! once.

use crate::source::Proxies;
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::oneshot;

/// Streams that wait at once, and those of them from one place.
const STRANGERS: usize = 64;
const STRANGERS_PER_PLACE: usize = 8;

/// Everybody who waits, who came first before the others.
#[derive(Debug, Default)]
pub struct Lobby(Mutex<Waiters>);

#[derive(Debug, Default)]
struct Waiters {
    last: u64,
    all: Vec<Stranger>,
}

#[derive(Debug)]
struct Stranger {
    number: u64,
    place: Option<IpAddr>,
    /// Dropped when the stranger has to go.
    _stays: oneshot::Sender<()>,
}

/// One that waits.
pub struct Waiting {
    lobby: Arc<Lobby>,
    number: u64,
    goes: oneshot::Receiver<()>,
}

impl Lobby {
    /// Lets one in that comes from `place`.
    pub fn enter(self: &Arc<Self>, place: Option<IpAddr>) -> Waiting {
        let mut waiters = self.waiters();
        let all = &mut waiters.all;
        let here = |one: &Stranger| place.is_some() && one.place == place;
        let full = all.iter().filter(|one| here(one)).count() >= STRANGERS_PER_PLACE;
        let goes = if full {
            all.iter().position(here)
        } else {
            (all.len() >= STRANGERS).then_some(0)
        };
        if let Some(goes) = goes {
            all.remove(goes);
        }
        waiters.last += 1;
        let number = waiters.last;
        let (stays, goes) = oneshot::channel();
        waiters.all.push(Stranger {
            number,
            place,
            _stays: stays,
        });
        Waiting {
            lobby: self.clone(),
            number,
            goes,
        }
    }

    fn waiters(&self) -> MutexGuard<'_, Waiters> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    /// Until there is no room any more.
    pub async fn has_to_go(&mut self) {
        // Nothing is ever sent; the other end goes away.
        let _ = (&mut self.goes).await;
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        let number = self.number;
        self.lobby.waiters().all.retain(|one| one.number != number);
    }
}

/// What shares one allowance: an address, or the network of one IPv6 subscriber. This computer and our own proxies speak
/// for many, so only the limit of all holds for them.
pub fn place(source: Option<IpAddr>, proxies: &Proxies) -> Option<IpAddr> {
    let source = source.filter(|ip| !ip.is_loopback() && !proxies.has(ip))?;
    Some(match source {
        IpAddr::V4(_) => source,
        IpAddr::V6(ip) => Ipv6Addr::from_bits(ip.to_bits() >> 64 << 64).into(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn goes(waiting: &mut Waiting) -> bool {
        matches!(
            waiting.goes.try_recv(),
            Err(oneshot::error::TryRecvError::Closed)
        )
    }

    #[test]
    fn who_has_waited_longest_goes_for_who_comes() {
        let lobby = Arc::new(Lobby::default());
        let one = Some(IpAddr::from([192, 0, 2, 1]));
        let mut other = lobby.enter(Some(IpAddr::from([192, 0, 2, 2])));
        let mut same: Vec<_> = (0..STRANGERS_PER_PLACE).map(|_| lobby.enter(one)).collect();
        assert!(!same.iter_mut().any(goes));
        let ninth = lobby.enter(one);
        assert!(goes(&mut same[0]) && !goes(&mut same[1]) && !goes(&mut other));
        drop((same, ninth));
        assert_eq!(lobby.waiters().all.len(), 1);
        let mut many: Vec<_> = (1..STRANGERS).map(|_| lobby.enter(None)).collect();
        assert!(!goes(&mut other), "there is room for all");
        let _one_more = lobby.enter(None);
        assert!(goes(&mut other) && !many.iter_mut().any(goes));
        assert_eq!(lobby.waiters().all.len(), STRANGERS);
    }

    #[test]
    fn a_subscribers_network_is_one_place_and_a_proxy_none() {
        let proxies = Proxies::new(&["10.0.0.0/8".into()]).unwrap();
        let at = |text: &str| place(Some(text.parse().unwrap()), &proxies);
        assert_eq!(at("2001:db8::1"), at("2001:db8::2:3"));
        assert_ne!(at("2001:db8::1"), at("2001:db8:0:1::1"));
        assert_ne!(at("192.0.2.1"), at("192.0.2.2"));
        for many in ["127.0.0.1", "::1", "10.1.2.3"] {
            assert_eq!(at(many), None, "{many}");
        }
    }
}
