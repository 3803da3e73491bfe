//! Log lines that a stranger can provoke, held to a rate. It does not know what the lines say.

use crate::types::MonoNs;
use parking_lot::Mutex;
use std::time::Duration;

/// Lines let through in each span.
const LINES_PER_SPAN: u32 = 10;

/// The span.
const SPAN: Duration = Duration::from_secs(10);

/// Says which lines may be written.
#[derive(Default)]
pub struct Quiet {
    state: Mutex<(MonoNs, u32, u64)>,
}

impl Quiet {
    /// Whether a line may be written now, and how many were held back before it.
    pub fn allow(&self, now: MonoNs) -> Option<u64> {
        let mut state = self.state.lock();
        if now.since(state.0) >= SPAN {
            state.0 = now;
            state.1 = 0;
        }
        if state.1 >= LINES_PER_SPAN {
            state.2 += 1;
            return None;
        }
        state.1 += 1;
        Some(std::mem::take(&mut state.2))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_lines_is_counted_and_not_written() {
        let quiet = Quiet::default();
        let now = MonoNs(1);
        let written = (0..1000).filter(|_| quiet.allow(now).is_some()).count();
        assert_eq!(written, LINES_PER_SPAN as usize);
        assert_eq!(quiet.allow(now.after(SPAN)), Some(1000 - u64::from(LINES_PER_SPAN)));
    }
}
