// Writes batches and what Kafka's cleaner makes of them (MemoryRecords.filterTo), for src/record/stored.rs:
//   java -cp 'kafka-clients-4.4.0.jar:slf4j-api.jar' Filtered.java > filtered-kafka-clients-4.4.0.txt
// A line: name, records kept as 0 and 1, time of the filter + delete.retention.ms, batch before, batch after, in hex.

import java.nio.ByteBuffer;
import java.util.Set;
import java.util.TreeSet;
import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecords.RecordFilter;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.record.internal.RecordBatch;
import org.apache.kafka.common.record.internal.SimpleRecord;
import org.apache.kafka.common.utils.internals.BufferSupplier;

public class Filtered {
    static final long NOW = 1_700_000_000_000L;
    static final long RETENTION = 86_400_000L;

    static String hex(ByteBuffer bytes) {
        StringBuilder out = new StringBuilder();
        ByteBuffer copy = bytes.duplicate();
        while (copy.hasRemaining()) out.append(String.format("%02x", copy.get()));
        return out.toString();
    }

    static SimpleRecord[] records(boolean tombstone) {
        Header[] headers = {new RecordHeader("h", "v".getBytes()), new RecordHeader("n", (byte[]) null)};
        return new SimpleRecord[] {
            new SimpleRecord(NOW - 5000, "a".getBytes(), "one".getBytes(), headers),
            new SimpleRecord(NOW - 9000, "b".getBytes(), tombstone ? null : "two".getBytes()),
            new SimpleRecord(NOW - 2000, "c".getBytes(), new byte[300]),
            new SimpleRecord(NOW - 7000, "d".getBytes(), "four".getBytes()),
        };
    }

    static MemoryRecords batch(TimestampType type, boolean transactional, boolean tombstone) {
        var builder = MemoryRecords.builder(ByteBuffer.allocate(4096), (byte) 2, Compression.NONE, type, 1000L,
            type == TimestampType.LOG_APPEND_TIME ? NOW - 100 : -1L, 77L, (short) 3, 40, transactional, 9);
        for (SimpleRecord record : records(tombstone)) builder.append(record);
        return builder.build();
    }

    static MemoryRecords filter(MemoryRecords source, String keep, boolean emptyTxn, long now) {
        RecordFilter filter = new RecordFilter(now, RETENTION) {
            protected BatchRetentionResult checkBatchRetention(RecordBatch batch) {
                return new BatchRetentionResult(BatchRetention.RETAIN_EMPTY, emptyTxn);
            }
            protected boolean shouldRetainRecord(RecordBatch batch, Record record) {
                return keep.charAt((int) (record.offset() - batch.baseOffset())) == '1';
            }
        };
        var result = source.filterTo(filter, ByteBuffer.allocate(4096), BufferSupplier.NO_CACHING, Integer.MAX_VALUE);
        ByteBuffer out = result.outputBuffer();
        out.flip();
        return MemoryRecords.readableRecords(out);
    }

    static MemoryRecords line(String name, MemoryRecords source, String keep, boolean emptyTxn, long now) {
        MemoryRecords after = filter(source, keep, emptyTxn, now);
        System.out.println(name + " " + keep + " " + (now + RETENTION) + " " + hex(source.buffer()) + " " + hex(after.buffer()));
        return after;
    }

    public static void main(String[] args) {
        line("some-go", batch(TimestampType.CREATE_TIME, false, false), "0101", false, NOW);
        line("first-stays", batch(TimestampType.CREATE_TIME, true, false), "1000", false, NOW);
        line("append-time", batch(TimestampType.LOG_APPEND_TIME, false, false), "0110", false, NOW);
        line("all-go", batch(TimestampType.CREATE_TIME, true, false), "0000", false, NOW);
        line("all-go-append-time", batch(TimestampType.LOG_APPEND_TIME, false, true), "0000", false, NOW);
        MemoryRecords aging = line("tombstone", batch(TimestampType.CREATE_TIME, false, true), "1111", false, NOW);
        line("horizon-stays", aging, "1011", false, NOW + 5_000_000_000L);
        line("horizon-and-all-go", aging, "0000", false, NOW);
        line("tombstone-append-time", batch(TimestampType.LOG_APPEND_TIME, false, true), "0111", false, NOW);
        MemoryRecords marker = MemoryRecords.withEndTransactionMarker(2000L, NOW - 50, 9, 77L, (short) 3,
            new EndTransactionMarker(ControlRecordType.ABORT, 5));
        line("marker", marker, "1", true, NOW);
        line("marker-goes", marker, "0", true, NOW);
    }
}
