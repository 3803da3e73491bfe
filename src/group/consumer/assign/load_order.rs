//! Members of one topic by the number of their partitions, walked from both ends while partitions move: the next with
//! the least, and the next with the most. Each end is a range of equals that grows as they fill up or empty.

/// The two ends.
pub(super) struct LoadOrder {
    /// By load at the start, then by index.
    members: Vec<usize>,
    /// The members before this one have the least.
    least_end: usize,
    /// The load of those with the least, before this turn through them.
    least: i64,
    next_least: usize,
    /// The members from here to `most_end` have the most.
    most_start: usize,
    /// The members from here on have nothing to give.
    most_end: usize,
    /// The load of those with the most, before this turn through them.
    most: i64,
    /// One past the next with the most.
    next_most: usize,
}

fn load(loads: &[usize], member: Option<&usize>) -> i64 {
    let load = member.and_then(|member| loads.get(*member)).copied().unwrap_or(0);
    load as i64
}

impl LoadOrder {
    /// `None` without members.
    pub(super) fn of(subscribers: &[usize], loads: &[usize]) -> Option<LoadOrder> {
        let mut members = subscribers.to_vec();
        members.sort_by_key(|member| (load(loads, Some(member)), *member));
        let least = load(loads, Some(members.first()?)) - 1;
        let most = load(loads, members.last()) + 1;
        let end = members.len();
        Some(LoadOrder {
            members,
            least_end: 0,
            least,
            next_least: 0,
            most_start: end,
            most_end: end,
            most,
            next_most: end,
        })
    }

    /// The most less the least. Right only before the first partition moves.
    pub(super) fn spread(&self, loads: &[usize]) -> i64 {
        load(loads, self.members.last()) - load(loads, self.members.first())
    }

    /// Whether the two ends have met, as far as they were walked.
    pub(super) fn is_balanced(&self) -> bool {
        self.most - self.least <= 1
    }

    /// The member to get a partition.
    pub(super) fn next_least(&mut self, loads: &[usize]) -> usize {
        if self.next_least >= self.least_end {
            self.least += 1;
            while self.least_end < self.members.len()
                && load(loads, self.members.get(self.least_end)) == self.least
            {
                self.least_end += 1;
            }
            self.next_least = 0;
        }
        let member = self.members.get(self.next_least).copied().unwrap_or(0);
        self.next_least += 1;
        member
    }

    /// The member to give a partition away; `None` if none has any.
    pub(super) fn next_most(&mut self, loads: &[usize]) -> Option<usize> {
        if self.next_most <= self.most_start {
            if self.most_end <= self.most_start && self.most_start > 0 {
                self.most = load(loads, self.members.get(self.most_start - 1));
            } else {
                self.most -= 1;
            }
            while self.most_start > 0 && load(loads, self.members.get(self.most_start - 1)) == self.most {
                self.most_start -= 1;
            }
            self.next_most = self.most_end;
        }
        self.next_most = self.next_most.checked_sub(1)?;
        self.members.get(self.next_most).copied()
    }

    /// The member that `next_most` gave has nothing of this topic to give.
    pub(super) fn exclude_last_most(&mut self) {
        let Some(last) = self.most_end.checked_sub(1) else { return };
        if self.next_most <= last && last < self.members.len() {
            self.members.swap(self.next_most, last);
        }
        self.most_end = last;
    }
}
