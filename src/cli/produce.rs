//! `logboom produce`

use super::args::{ProduceArgs, RecordFormat};
use super::client::{Client, Delivered, Message, ProduceOptions, Producer};
use super::failure::Failure;
use super::input;
use super::lines::{FileStream, read_lines};
use super::output::{Output, thousands};
use crate::sys::{Fs, OpenHow};
use crate::types::ErrorCode;
use serde_json::json;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;

/// Sends what the arguments say.
pub async fn run(args: ProduceArgs, client: &Client, output: Output, fs: Arc<dyn Fs>) -> Result<(), Failure> {
    let topic = match client.topic(&args.topic, false).await {
        Err(error) if error.code() == ErrorCode::UNKNOWN_TOPIC_OR_PARTITION => {
            // Brokers that create no topics answer as if we had not asked.
            let topic = client.topic(&args.topic, true).await?;
            let count = topic.partitions().len();
            let noun = if count == 1 { "partition" } else { "partitions" };
            output.say(&format!("created topic {} ({count} {noun})", args.topic));
            topic
        }
        other => other?,
    };
    let options =
        ProduceOptions { acks: args.acks, codec: args.compression.codec(), partition: args.partition };
    let mut producer = Producer::new(client, topic, options).await?;
    match &args.value {
        Some(value) => {
            let headers: Vec<_> = headers(&args).collect();
            let key = args.key.as_deref().map(str::as_bytes);
            producer
                .send(Message { key, value: Some(value.as_bytes()), headers: &headers, timestamp: None })
                .await?;
            producer.flush().await?;
            match producer.take_delivered().first() {
                Some(delivered) => report_one(&args.topic, delivered, output),
                None => Ok(()),
            }
        }
        None => {
            let lines = open(&args, fs)?;
            let count = stream(&args, &mut producer, lines).await?;
            let noun = if count == 1 { "record" } else { "records" };
            output.either(
                || json!({ "topic": args.topic, "records": count }),
                || format!("{}: {} {noun}", args.topic, thousands(count)),
            )
        }
    }
}

fn headers(args: &ProduceArgs) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
    args.headers.iter().map(|(key, value)| (key.as_str(), Some(value.as_bytes())))
}

fn report_one(topic: &str, delivered: &Delivered, output: Output) -> Result<(), Failure> {
    let Delivered { partition, first, .. } = *delivered;
    output.either(
        || json!({ "topic": topic, "partition": partition, "offset": first }),
        || match first {
            // Nobody was waited for, so nobody said where.
            -1 => format!("{topic}-{partition}"),
            offset => format!("{topic}-{partition} offset {offset}"),
        },
    )
}

type Lines = mpsc::Receiver<io::Result<Vec<u8>>>;

fn open(args: &ProduceArgs, fs: Arc<dyn Fs>) -> Result<Lines, Failure> {
    match &args.file {
        Some(path) => {
            let cannot =
                |error: io::Error| Failure::new("LB0204", format!("cannot read {}: {error}", path.display()));
            let file = fs.open(path, OpenHow::Read).map_err(cannot)?;
            read_lines(FileStream::new(file)).map_err(cannot)
        }
        None => read_lines(io::stdin()).map_err(cannot_read),
    }
}

fn cannot_read(error: io::Error) -> Failure {
    Failure::new("LB0501", format!("cannot read the input: {error}"))
}

async fn stream(args: &ProduceArgs, producer: &mut Producer<'_>, mut lines: Lines) -> Result<u64, Failure> {
    let fixed = args.key.as_deref().map(str::as_bytes);
    let delimiter = args.key_delimiter.as_deref().map(str::as_bytes);
    let mut count = 0;
    loop {
        let line = match lines.try_recv() {
            Ok(line) => line,
            Err(mpsc::error::TryRecvError::Disconnected) => break,
            Err(mpsc::error::TryRecvError::Empty) => {
                // Nothing more for now: what we have should arrive before we wait for more.
                producer.flush().await?;
                count += arrived(producer);
                match lines.recv().await {
                    Some(line) => line,
                    None => break,
                }
            }
        };
        let line = line.map_err(cannot_read)?;
        let input = match args.format {
            RecordFormat::Text => input::from_text(line, delimiter),
            RecordFormat::Json => input::from_json(&line)?,
        };
        let own = input.headers.iter().map(|(key, value)| (key.as_str(), value.as_deref()));
        let headers: Vec<_> = own.chain(headers(args)).collect();
        producer
            .send(Message {
                key: input.key.as_deref().or(fixed),
                value: input.value.as_deref(),
                headers: &headers,
                timestamp: input.timestamp,
            })
            .await?;
        count += arrived(producer);
    }
    producer.flush().await?;
    Ok(count + arrived(producer))
}

fn arrived(producer: &mut Producer<'_>) -> u64 {
    producer.take_delivered().iter().map(|delivered| u64::from(delivered.count.unsigned_abs())).sum()
}
