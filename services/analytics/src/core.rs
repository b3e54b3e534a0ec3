//! What the figures mean: stays of contacts in queues, intervals of agents, sums and rates. Pure.

pub mod figures;
pub mod interval;
pub mod stay;

pub use figures::{Booking, Figures, Span, Targets};
pub use interval::{Doing, Interval, Timeline};
pub use stay::{Fact, Happening, Stay};
