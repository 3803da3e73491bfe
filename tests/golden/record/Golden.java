// Prints record batches as the Java producer and the transaction coordinator of Kafka build them: name and hex.

import org.apache.kafka.common.compress.Compression;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.record.TimestampType;
import org.apache.kafka.common.record.internal.CompressionType;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.MemoryRecords;
import org.apache.kafka.common.record.internal.MemoryRecordsBuilder;
import org.apache.kafka.common.record.internal.SimpleRecord;

import java.nio.ByteBuffer;
import java.util.HexFormat;

public class Golden {
    static final long NOW = 1700000000000L;

    public static void main(String[] args) {
        for (String codec : new String[] {"none", "gzip", "snappy", "lz4", "zstd"}) {
            Compression compression = Compression.of(CompressionType.forName(codec)).build();
            put("small-" + codec, MemoryRecords.withRecords(compression, small()));
            if (!codec.equals("none")) {
                put("blocks-" + codec, MemoryRecords.withRecords(compression, blocks()));
            }
            MemoryRecordsBuilder builder = MemoryRecords.builder(ByteBuffer.allocate(4096), (byte) 2, compression,
                TimestampType.CREATE_TIME, 0L, -1L, 4711L, (short) 3, Integer.MAX_VALUE - 1, true, -1);
            for (SimpleRecord record : small()) {
                builder.append(record);
            }
            put("txn-" + codec, builder.build());
        }
        put("marker-commit", MemoryRecords.withEndTransactionMarker(40L, NOW, 7, 4711L, (short) 3,
            new EndTransactionMarker(ControlRecordType.COMMIT, 12)));
        put("marker-abort", MemoryRecords.withEndTransactionMarker(41L, NOW, 7, 4711L, (short) 3,
            new EndTransactionMarker(ControlRecordType.ABORT, 12)));
        put("magic0", MemoryRecords.withRecords((byte) 0, Compression.NONE,
            new SimpleRecord(-1L, "a".getBytes(), "one".getBytes())));
        put("magic1", MemoryRecords.withRecords((byte) 1, Compression.NONE,
            new SimpleRecord(NOW, "a".getBytes(), "one".getBytes())));
    }

    static SimpleRecord[] small() {
        Header[] headers = {new RecordHeader("trace", "1".getBytes()), new RecordHeader("empty", (byte[]) null)};
        return new SimpleRecord[] {
            new SimpleRecord(NOW, "a".getBytes(), "one".getBytes(), headers),
            new SimpleRecord(NOW + 5, "b".getBytes(), null),
            new SimpleRecord(NOW + 5, null, "three".getBytes()),
        };
    }

    // 150 KB, so that every framing has several blocks.
    static SimpleRecord[] blocks() {
        SimpleRecord[] records = new SimpleRecord[150];
        for (int i = 0; i < records.length; i++) {
            byte[] value = new byte[1000];
            for (int j = 0; j < value.length; j++) {
                value[j] = (byte) ('a' + (i + j / 100) % 26);
            }
            records[i] = new SimpleRecord(NOW + i, ("key-" + i).getBytes(), value);
        }
        return records;
    }

    static void put(String name, MemoryRecords records) {
        ByteBuffer buffer = records.buffer().duplicate();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        System.out.println(name + " " + HexFormat.of().formatHex(bytes));
    }
}
