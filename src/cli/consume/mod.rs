//! `logboom consume`

mod group;
mod positions;

pub use group::run_in_group;
pub use positions::resolve;

use super::args::{ConsumeArgs, RecordFormat};
use super::client::{Client, LATEST, RecordReader, Span, Topic};
use super::failure::Failure;
use super::output::{Output, harmless, thousands};
use super::template::{Template, to_json};
use crate::record::Record;
use crate::sys::Clock;
use crate::types::TimestampMs;

/// Output is written at the latest when it is this long.
const BUFFER_BYTES: usize = 64 << 10;

/// Prints what the arguments say.
pub async fn run(
    args: ConsumeArgs,
    client: &Client,
    output: Output,
    clock: &dyn Clock,
) -> Result<(), Failure> {
    let topic = client.topic(&args.topic, false).await?;
    let spans = spans(&args, client, &topic, clock.wall()).await?;
    let form = Form::choose(&args, output);
    let mut reader = RecordReader::new(client, topic, spans);
    let mut count = 0;
    let mut buffer = Vec::new();
    while args.count.is_none_or(|most| count < most) {
        if buffer.len() >= BUFFER_BYTES || (!buffer.is_empty() && reader.would_wait()) {
            output.bytes(&buffer)?;
            buffer.clear();
        }
        let Some((partition, record)) = reader.next().await? else { break };
        form.write(&args.topic, partition, &record, &mut buffer);
        count += 1;
    }
    output.bytes(&buffer)?;
    if args.count.is_none_or(|most| count < most) {
        say_end(&args.topic, count, output);
    }
    Ok(())
}

fn say_end(topic: &str, count: u64, output: Output) {
    if output.talks_to_person() && !output.json {
        let noun = if count == 1 { "record" } else { "records" };
        output.say(&format!("-- end of {topic}, {} {noun} (--follow waits for more) --", thousands(count)));
    }
}

async fn spans(
    args: &ConsumeArgs,
    client: &Client,
    topic: &Topic,
    now: TimestampMs,
) -> Result<Vec<Span>, Failure> {
    let partitions = args.partition.map_or_else(|| topic.partitions(), |partition| vec![partition]);
    let from = resolve(args.range.from, client, topic, &partitions, now).await?;
    let to = match args.range.to {
        Some(to) => Some(resolve(to, client, topic, &partitions, now).await?),
        None => None,
    };
    let ends = match args.follow {
        true => None,
        false => Some(client.offsets(topic, &partitions, LATEST).await?),
    };
    let span = |partition: &i32| {
        let to = to.as_ref().and_then(|to| to.get(partition)).copied();
        let end = ends.as_ref().and_then(|ends| ends.get(partition)).copied();
        // Without --follow, records that are not there yet are not waited for.
        let until = match (to, end) {
            (Some(to), Some(end)) => Some(to.min(end)),
            (to, end) => to.or(end),
        };
        Span { partition: *partition, next: from.get(partition).copied().unwrap_or(0), until }
    };
    Ok(partitions.iter().map(span).collect())
}

enum Form {
    Template(Template),
    Json,
    Person,
}

impl Form {
    fn choose(args: &ConsumeArgs, output: Output) -> Form {
        match &args.template {
            _ if output.json || args.format == RecordFormat::Json => Form::Json,
            Some(template) => Form::Template(template.clone()),
            None if output.is_terminal() => Form::Person,
            None => Form::Template(Template::value_lines()),
        }
    }

    fn write(&self, topic: &str, partition: i32, record: &Record, out: &mut Vec<u8>) {
        match self {
            Form::Template(template) => template.write(topic, partition, record, out),
            Form::Json => {
                out.extend_from_slice(to_json(topic, partition, record).to_string().as_bytes());
                out.push(b'\n');
            }
            Form::Person => out.extend_from_slice(for_person(topic, partition, record).as_bytes()),
        }
    }
}

fn for_person(topic: &str, partition: i32, record: &Record) -> String {
    let time = jiff::Timestamp::from_millisecond(record.timestamp.0).ok();
    let zone = jiff::tz::TimeZone::system();
    let time = time.map(|time| time.to_zoned_datetime(zone).strftime("%Y-%m-%d %H:%M:%S").to_string());
    let mut line = format!("{}  {topic}-{partition}:{}", time.as_deref().unwrap_or("-"), record.offset);
    if let Some(key) = &record.key {
        line.push_str(&format!("  key={}", harmless(key)));
    }
    for header in &record.headers {
        let value = header.value.as_ref().map_or("NULL".to_owned(), |value| harmless(value));
        line.push_str(&format!("  {}={value}", harmless(header.key.as_str().as_bytes())));
    }
    match &record.value {
        Some(value) => line.push_str(&format!("  {}\n", harmless(value))),
        None => line.push_str("  (null)\n"),
    }
    line
}
