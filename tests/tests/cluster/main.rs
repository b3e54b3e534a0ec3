//! A centre of several processes on RabbitMQ, Redis and PostgreSQL, with real telephones. Processes and engines are killed;
//! callers must not notice more than they have to.

mod calls;
mod endings;
mod faults;
mod outages;
mod stage;
mod steering;
