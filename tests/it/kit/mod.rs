//! What tests of several behaviours share. It knows no behaviour.

mod binary;
mod crash_points;

pub use binary::{Begun, Broker, Ran, Scratch, logboom, logboom_fed};
pub use crash_points::at_every_crash_point;
