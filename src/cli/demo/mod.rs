//! `logboom demo`: streams a real data set through a topic, reads it back and checks every byte.

mod corpus;

use super::args::{DemoArgs, SettingArgs};
use super::client::{Client, ClientError, Message, ProduceOptions, Producer, Reach, RecordReader, Span};
use super::failure::Failure;
use super::output::{Output, thousands};
use super::{Machine, serve, settings};
use crate::cli::client::Acks;
use crate::server::Server;
use corpus::Corpus;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use serde_json::json;
use std::net::IpAddr;
use std::time::Duration;

/// Code of the failure that should never be.
const DIFFERS: &str = "LB0401";

/// What a run measured.
struct Run {
    written: Duration,
    read: Duration,
}

/// Runs the demo against the broker that answers, or against one started here.
pub async fn run(args: DemoArgs, bootstrap: &str, machine: &Machine, output: Output) -> Result<(), Failure> {
    let corpus = corpus::gather(args.file.as_deref(), machine.fs.as_ref())?;
    let limit = if corpus.cut { ", as much as the demo takes" } else { "" };
    let size = mib(corpus.bytes);
    output.say(&format!(
        "{}: {} records, {size:.1} MiB{limit}",
        corpus.name,
        thousands(corpus.records.len() as u64)
    ));
    let reach = machine.reach();
    let (client, server) = match Client::connect(reach.clone(), bootstrap).await {
        Ok(client) => (client, None),
        Err(ClientError::Connect { .. }) if is_here(bootstrap) => {
            let server = start(&args, bootstrap, machine, output).await?;
            let address = server.local_addr().to_string();
            (Client::connect(reach.clone(), &address).await?, Some(server))
        }
        Err(other) => return Err(other.into()),
    };
    let result = match create(&args.topic, &client).await {
        Ok(()) => {
            let result = stream(&args, &corpus, &client, &reach, output).await;
            // Records that came back wrong are kept for a look.
            let differs = matches!(&result, Err(failure) if failure.code == DIFFERS);
            if !args.keep && !differs {
                client.delete_topic(&args.topic).await?;
            }
            result
        }
        Err(failure) => Err(failure),
    };
    let own = server.is_some();
    if let Some(server) = server {
        server.stop().await;
    }
    report(&args, &corpus, &result?, own, output)
}

/// Whether a broker started here could answer on the address.
fn is_here(bootstrap: &str) -> bool {
    let host = bootstrap.rsplit_once(':').map_or("", |(host, _)| host.trim_matches(['[', ']']));
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

async fn start(
    args: &DemoArgs,
    bootstrap: &str,
    machine: &Machine,
    output: Output,
) -> Result<Server, Failure> {
    let given = SettingArgs {
        data: args.data.clone().into_iter().collect(),
        listen: Some(bootstrap.to_owned()),
        ..SettingArgs::default()
    };
    let loaded = settings::load_settings(&given, machine.fs.as_ref())?;
    let data = serve::data_text(&loaded.settings);
    let server = serve::start(loaded.settings, machine).await?;
    output.say(&format!("nobody answers on {bootstrap}: started a broker in this process, data in {data}"));
    Ok(server)
}

/// Makes the topic, with one partition: only then is there one order to check.
async fn create(topic: &str, client: &Client) -> Result<(), Failure> {
    match client.create_topic(topic, 1, &[]).await.map_err(Failure::from) {
        Err(failure) if failure.code == "TOPIC_ALREADY_EXISTS" => {
            Err(failure.help("take another:  logboom demo --topic demo2"))
        }
        Err(failure) => Err(failure),
        Ok(_) => Ok(()),
    }
}

async fn stream(
    args: &DemoArgs,
    corpus: &Corpus,
    client: &Client,
    reach: &Reach,
    output: Output,
) -> Result<Run, Failure> {
    let topic = client.topic(&args.topic, true).await?;
    let options = ProduceOptions { acks: Acks::All, codec: args.compression.codec(), partition: None };
    let mut producer = Producer::new(client, topic.clone(), options).await?;
    let bar = progress(corpus, "writing", output);
    let begun = reach.clock.mono();
    for (key, value) in &corpus.records {
        producer
            .send(Message { key: key.as_deref(), value: Some(value), headers: &[], timestamp: None })
            .await?;
        for delivered in producer.take_delivered() {
            bar.inc(u64::from(delivered.count.unsigned_abs()));
        }
    }
    producer.flush().await?;
    let written = reach.clock.mono().since(begun);
    bar.finish_and_clear();
    let bar = progress(corpus, "reading", output);
    let begun = reach.clock.mono();
    let end = i64::try_from(corpus.records.len()).unwrap_or(i64::MAX);
    let spans = vec![Span { partition: 0, next: 0, until: Some(end) }];
    let mut reader = RecordReader::new(client, topic, spans);
    let mut expected = corpus.records.iter().enumerate();
    while let Some((_, record)) = reader.next().await? {
        let Some((index, (key, value))) = expected.next() else { break };
        if record.key != *key || record.value.as_ref() != Some(value) || record.offset.0 != index as i64 {
            return Err(differs(&args.topic, index as u64, record.offset.0));
        }
        bar.inc(1);
    }
    bar.finish_and_clear();
    match expected.next() {
        Some((index, _)) => Err(differs(&args.topic, index as u64, -1)),
        None => Ok(Run { written, read: reach.clock.mono().since(begun) }),
    }
}

fn differs(topic: &str, index: u64, offset: i64) -> Failure {
    let got = if offset < 0 { "nothing".to_owned() } else { format!("something else, at offset {offset}") };
    Failure::new(DIFFERS, format!("record {index} written to {topic}-0 came back as {got}"))
        .help(format!("the topic is kept for a look:  logboom consume {topic} -o {index} -n 1"))
}

fn progress(corpus: &Corpus, what: &'static str, output: Output) -> ProgressBar {
    let bar = ProgressBar::new(corpus.records.len() as u64);
    let target = match output.talks_to_person() {
        true => ProgressDrawTarget::stderr_with_hz(10),
        false => ProgressDrawTarget::hidden(),
    };
    bar.set_draw_target(target);
    let style =
        ProgressStyle::with_template("{msg} [{bar:30}] {human_pos} of {human_len}  {per_sec}  {eta} left");
    if let Ok(style) = style {
        bar.set_style(style.progress_chars("##-"));
    }
    bar.set_message(what);
    bar
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

fn report(args: &DemoArgs, corpus: &Corpus, run: &Run, own: bool, output: Output) -> Result<(), Failure> {
    let rate = |amount: f64, took: Duration| amount / took.as_secs_f64().max(1e-9);
    let records = corpus.records.len();
    let line = |what: &str, took: Duration| {
        format!(
            "{what} in {:.2} s: {} records/s, {:.1} MiB/s",
            took.as_secs_f64(),
            thousands(rate(records as f64, took) as u64),
            rate(mib(corpus.bytes), took)
        )
    };
    let next = match (args.keep, own) {
        (true, true) => {
            format!("look at them:  logboom serve   and then  logboom consume {} -o -3", args.topic)
        }
        (true, false) => format!("look at them:  logboom consume {} -o -3", args.topic),
        (false, _) => "next:  logboom serve   and then  logboom produce hello \"first message\"".to_owned(),
    };
    output.either(
        || {
            json!({
                "source": corpus.name,
                "records": records,
                "bytes": corpus.bytes,
                "write_seconds": run.written.as_secs_f64(),
                "read_seconds": run.read.as_secs_f64(),
                "write_records_per_second": rate(records as f64, run.written),
                "read_records_per_second": rate(records as f64, run.read),
                "identical": true,
            })
        },
        || {
            [
                line("written, acks=all,", run.written),
                line("read back", run.read),
                format!("all {} records came back identical and in order", thousands(records as u64)),
                next,
            ]
            .join("\n")
        },
    )
}
