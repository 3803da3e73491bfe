//! The clients of a run as tasks: the first that fails ends them all. Shows how far they are.

use super::super::failure::Failure;
use super::super::output::Output;
use super::args::AmountArgs;
use super::host::cpu_seconds;
use super::tally::Tally;
use crate::sys::Fs;
use crate::types::MonoNs;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::future::Future;
use tokio::task::JoinSet;

/// Runs all of them to their end and adds up what they counted since the run began.
pub async fn run<F>(
    clients: impl IntoIterator<Item = F>,
    begun: MonoNs,
    fs: &dyn Fs,
) -> Result<Tally, Failure>
where
    F: Future<Output = Result<Tally, Failure>> + Send + 'static,
{
    let cpu_before = cpu_seconds(fs);
    let mut team: JoinSet<Result<Tally, Failure>> = clients.into_iter().collect();
    let mut all = Tally::default();
    // Dropping the team ends those that still run.
    while let Some(ended) = team.join_next().await {
        let tally = match ended {
            Ok(result) => result?,
            Err(error) => return Err(Failure::new("LB0105", format!("a client ended: {error}"))),
        };
        all.add(&tally);
    }
    all.took = all.last.since(begun);
    all.cpu_seconds = cpu_seconds(fs).zip(cpu_before).map(|(after, before)| after - before);
    Ok(all)
}

/// A bar that counts records, if a person looks at standard error.
pub fn bar(amount: &AmountArgs, records: Option<u64>, what: &'static str, output: Output) -> ProgressBar {
    let target = match output.talks_to_person() {
        true => ProgressDrawTarget::stderr_with_hz(10),
        false => ProgressDrawTarget::hidden(),
    };
    let records = records.filter(|_| amount.seconds.is_none());
    let bar = ProgressBar::with_draw_target(records, target);
    let (template, extra) = match (records, amount.seconds) {
        (Some(_), _) => ("{msg} [{bar:30}] {human_pos} of {human_len}  {per_sec}  {eta} left", String::new()),
        (None, Some(seconds)) => {
            ("{msg}  {human_pos} records  {per_sec}  {elapsed}", format!(" for {seconds} s"))
        }
        (None, None) => ("{msg}  {human_pos} records  {per_sec}  {elapsed}", String::new()),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("##-"));
    }
    bar.set_message(format!("{what}{extra}"));
    bar
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::SimFs;
    use std::future::{pending, ready};
    use std::pin::Pin;

    type Client = Pin<Box<dyn Future<Output = Result<Tally, Failure>> + Send>>;

    #[tokio::test]
    async fn counts_are_added_up_and_the_first_failure_ends_the_others() {
        let (fs, begun) = (SimFs::new(1), MonoNs(1000));
        let done = |records, last| -> Client {
            Box::pin(ready(Ok(Tally { records, last: MonoNs(last), ..Tally::default() })))
        };
        let all = run([done(3, 5000), done(4, 4000)], begun, &fs).await.unwrap();
        assert_eq!((all.records, all.took.as_nanos()), (7, 4000));
        let failed: Client = Box::pin(ready(Err(Failure::new("LB0403", "no"))));
        let failure = run([done(3, 0), Box::pin(pending()), failed], begun, &fs).await.err().unwrap();
        assert_eq!(failure.code, "LB0403");
    }
}
