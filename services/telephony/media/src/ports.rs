//! The range of RTP ports: even ones are given out, and rest a while before they are given out again, so that late packets
//! of an ended call do not reach the next.

use crate::media::MediaError;
use parking_lot::Mutex;
use std::{
    collections::{HashSet, VecDeque},
    io::ErrorKind,
    net::{IpAddr, UdpSocket},
    time::{Duration, Instant},
};

/// How long a released port rests.
const REST: Duration = Duration::from_secs(5);

/// Gives out sockets on even ports of a range.
#[derive(Debug)]
pub struct Ports {
    bind: IpAddr,
    first: u16,
    count: usize,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    next: usize,
    taken: HashSet<u16>,
    resting: VecDeque<(Instant, u16)>,
}

impl Ports {
    /// All even ports from `first` to `last`, bound at `bind`. `start` chooses where to begin; a random one keeps two processes apart.
    pub fn new(bind: IpAddr, first: u16, last: u16, start: usize) -> Self {
        let first = first.checked_next_multiple_of(2).unwrap_or(u16::MAX - 1);
        let count = usize::from(last.saturating_sub(first)) / 2 + 1;
        let state = State {
            next: start % count,
            ..State::default()
        };
        Self {
            bind,
            first,
            count,
            state: Mutex::new(state),
        }
    }

    /// A bound socket and its port. Ports that another program holds are passed over, however many they are: a test
    /// machine or a second centre may hold hundreds in a row.
    ///
    /// # Errors
    /// [`MediaError::NoPort`] when all are in use or resting, [`MediaError::System`] when the system gives no socket at all.
    pub fn take(&self, now: Instant) -> Result<(UdpSocket, u16), MediaError> {
        let mut state = self.state.lock();
        while let Some((released, port)) = state.resting.front().copied()
            && now.saturating_duration_since(released) >= REST
        {
            state.resting.pop_front();
            state.taken.remove(&port);
        }
        for _ in 0..self.count {
            let port = self.first + u16::try_from(2 * state.next).unwrap_or(0);
            state.next = (state.next + 1) % self.count;
            if state.taken.contains(&port) {
                continue;
            }
            match UdpSocket::bind((self.bind, port)) {
                Ok(socket) => {
                    state.taken.insert(port);
                    return Ok((socket, port));
                }
                Err(error) if error.kind() == ErrorKind::AddrInUse => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(MediaError::NoPort)
    }

    /// The port's call has ended; its socket is closed or about to be.
    pub fn release(&self, port: u16, now: Instant) {
        self.state.lock().resting.push_back((now, port));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_even_bounded_and_rest_before_reuse() {
        let bind = IpAddr::from([127, 0, 77, 1]); // where no other program is
        let now = Instant::now();
        let ports = Ports::new(bind, 41_001, 41_010, 3);
        let mut taken = Vec::new();
        while let Ok((socket, port)) = ports.take(now) {
            assert!(port % 2 == 0 && (41_001..=41_010).contains(&port));
            taken.push((socket, port));
        }
        assert_eq!(taken.len(), 5);
        let (socket, port) = taken.pop().unwrap();
        drop(socket);
        ports.release(port, now);
        assert!(matches!(
            ports.take(now + Duration::from_secs(1)),
            Err(MediaError::NoPort)
        ));
        assert_eq!(ports.take(now + REST).unwrap().1, port);
    }

    #[test]
    fn ports_of_another_program_are_passed_over_however_many() {
        let bind = IpAddr::from([127, 0, 77, 1]); // where no other program is
        let now = Instant::now();
        let other = Ports::new(bind, 42_000, 42_998, 0);
        let mut held = Vec::new();
        while let Ok((socket, port)) = other.take(now) {
            held.push((socket, port));
        }
        // The other program lets one go, the last this one comes to.
        let (last, expected) = held.pop().unwrap();
        drop(last);
        let ours = Ports::new(bind, 42_000, 42_998, 0);
        assert_eq!(ours.take(now).unwrap().1, expected);
        assert!(matches!(ours.take(now), Err(MediaError::NoPort)));
    }
}
