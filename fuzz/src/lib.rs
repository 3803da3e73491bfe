//! What the fuzz targets share: a bound on the memory that a decoder takes. Knows no format.

mod memory;

pub use memory::{Bound, peak_of};
