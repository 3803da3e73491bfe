import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedOutputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.message.ApiMessageType;
import org.apache.kafka.common.protocol.ApiMessage;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.MessageUtil;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;
import org.apache.kafka.metadata.MetadataRecordSerde;
import org.apache.kafka.server.common.ApiMessageAndVersion;

/**
 * Writes what Kafka's own message classes make of random values: a line of JSON with message, version, bytes and
 * the JSON of Kafka's converters. Arguments: the list of wanted messages, a seed, and random instances per
 * message and version. The values come from Kafka's schemas by way of its JSON converters.
 */
public final class Golden {
    private static final JsonNodeFactory JSON = JsonNodeFactory.instance;
    private static final ObjectMapper MAPPER = new ObjectMapper();
    private static final HexFormat HEX = HexFormat.of();

    /** What is drawn at a choice. */
    private enum Mood { DEFAULT, NULL, FULL, RANDOM }

    private final Random random;
    private final PrintStream out;
    private Mood mood = Mood.RANDOM;
    private long lines;

    private Golden(long seed, PrintStream out) {
        this.random = new Random(seed);
        this.out = out;
    }

    public static void main(String[] args) throws Exception {
        PrintStream out = new PrintStream(new BufferedOutputStream(System.out, 1 << 16), false, StandardCharsets.UTF_8);
        Golden golden = new Golden(Long.parseLong(args[1]), out);
        int instances = Integer.parseInt(args[2]);
        for (String line : Files.readAllLines(Path.of(args[0]))) {
            if (line.isBlank() || line.startsWith("#")) continue;
            String[] words = line.split(" ");
            switch (words[0]) {
                case "api" -> {
                    golden.kind(words[1] + "Request", instances);
                    golden.kind(words[1] + "Response", instances);
                }
                default -> golden.kind(words[1], instances);
            }
        }
        out.flush();
        System.err.println(golden.lines + " lines");
    }

    private void kind(String name, int instances) throws Exception {
        Class<?> data = find(name);
        Schema[] schemas = (Schema[]) data.getField("SCHEMAS").get(null);
        short first = data.getField("LOWEST_SUPPORTED_VERSION").getShort(null);
        short last = data.getField("HIGHEST_SUPPORTED_VERSION").getShort(null);
        if (name.endsWith("Request") || name.endsWith("Response")) {
            short key = ((ApiMessage) data.getConstructor().newInstance()).apiKey();
            last = (short) Math.min(last, ApiMessageType.fromApiKey(key).highestSupportedVersion(false));
        }
        for (short version = first; version <= last; version++) {
            Class<?> converter = Class.forName(data.getName() + "JsonConverter");
            for (int at = 0; at < instances + 3; at++) {
                mood = at < 3 ? Mood.values()[at] : Mood.RANDOM;
                JsonNode value = object(schemas[version], 0);
                Message message;
                try {
                    message = (Message) converter.getMethod("read", JsonNode.class, short.class).invoke(null, value, version);
                } catch (InvocationTargetException e) {
                    throw new IllegalStateException(name + " " + version + " " + value, e.getCause());
                }
                write(name, data, converter, message, version, mood == Mood.FULL);
            }
        }
    }

    static Class<?> find(String name) {
        for (String candidate : List.of(
            "org.apache.kafka.common.message." + name + "Data",
            "org.apache.kafka.common.message." + name,
            "org.apache.kafka.common.metadata." + name,
            "org.apache.kafka.coordinator.group.generated." + name,
            "org.apache.kafka.coordinator.transaction.generated." + name,
            "org.apache.kafka.coordinator.share.generated." + name,
            "org.apache.kafka.server.log.remote.metadata.storage.generated." + name)) {
            try {
                return Class.forName(candidate);
            } catch (ClassNotFoundException e) {
                // the next one
            }
        }
        throw new IllegalArgumentException(name);
    }

    private void write(String name, Class<?> data, Class<?> converter, Message message, short version, boolean tags)
        throws Exception {
        ObjectNode line = JSON.objectNode();
        line.put("message", name);
        line.put("version", version);
        line.put("hex", bytes(message, version));
        Object json = converter.getMethod("write", data, short.class, boolean.class).invoke(null, message, version, false);
        line.set("json", (JsonNode) json);
        if (message instanceof ApiMessage record && data.getPackageName().equals("org.apache.kafka.common.metadata")) {
            ApiMessageAndVersion framed = new ApiMessageAndVersion(record, version);
            ObjectSerializationCache cache = new ObjectSerializationCache();
            ByteBuffer buffer = ByteBuffer.allocate(MetadataRecordSerde.INSTANCE.recordSize(framed, cache));
            MetadataRecordSerde.INSTANCE.write(framed, cache, new ByteBufferAccessor(buffer));
            line.put("framed", HEX.formatHex(buffer.array()));
        }
        if (tags && addUnknownTags(message, version)) {
            line.put("tagged", bytes(message, version));
        }
        out.println(MAPPER.writeValueAsString(line));
        lines++;
    }

    static String bytes(Message message, short version) {
        ByteBuffer buffer = MessageUtil.toByteBufferAccessor(message, version).buffer();
        byte[] bytes = new byte[buffer.remaining()];
        buffer.get(bytes);
        return HEX.formatHex(bytes);
    }

    /** Adds tags nobody knows to the message and the structs in it; false if the version has no tags. */
    private boolean addUnknownTags(Message message, short version) throws Exception {
        int before = MessageUtil.toByteBufferAccessor(message, version).buffer().remaining();
        List<Message> all = new ArrayList<>();
        collect(message, all);
        for (Message each : all) {
            each.unknownTaggedFields().add(new RawTaggedField(90, bytes(random.nextInt(5))));
            each.unknownTaggedFields().add(new RawTaggedField(20000, bytes(random.nextInt(5))));
        }
        try {
            return MessageUtil.toByteBufferAccessor(message, version).buffer().remaining() > before;
        } catch (RuntimeException e) {
            return false;
        }
    }

    private static void collect(Object value, List<Message> all) throws Exception {
        if (value instanceof Iterable<?> many) {
            for (Object each : many) collect(each, all);
        } else if (value instanceof Message message) {
            all.add(message);
            for (java.lang.reflect.Field field : message.getClass().getDeclaredFields()) {
                boolean isStatic = java.lang.reflect.Modifier.isStatic(field.getModifiers());
                if (isStatic || field.getName().equals("_unknownTaggedFields")) continue;
                if (Iterable.class.isAssignableFrom(field.getType()) || Message.class.isAssignableFrom(field.getType())) {
                    field.setAccessible(true);
                    collect(field.get(message), all);
                }
            }
        }
    }

    private ObjectNode object(Schema schema, int depth) {
        ObjectNode object = JSON.objectNode();
        for (BoundField bound : schema.fields()) {
            Type type = bound.def.type;
            if (type instanceof TaggedFields tagged) {
                for (Map.Entry<Integer, Field> each : tagged.fields().entrySet()) {
                    if (mood == Mood.FULL || (mood == Mood.RANDOM && random.nextBoolean())) {
                        object.set(camel(each.getValue().name), value(each.getValue().type, depth));
                    }
                }
            } else {
                object.set(camel(bound.def.name), value(type, depth));
            }
        }
        return object;
    }

    private JsonNode value(Type type, int depth) {
        if (type.isNullable() && (mood == Mood.NULL || (mood == Mood.RANDOM && random.nextInt(4) == 0))) {
            return JSON.nullNode();
        }
        if (type instanceof Schema schema) {
            return object(schema, depth + 1);
        }
        if (type.isArray()) {
            ArrayNode array = JSON.arrayNode();
            int count = switch (mood) {
                case DEFAULT -> 0;
                case NULL -> 1;
                case FULL -> depth == 0 ? 2 : 1;
                case RANDOM -> random.nextInt(4);
            };
            for (int at = 0; at < count; at++) array.add(value(type.arrayElementType().orElseThrow(), depth + 1));
            return array;
        }
        return primitive(type.toString());
    }

    private JsonNode primitive(String type) {
        boolean zero = mood == Mood.DEFAULT;
        return switch (type) {
            case "BOOLEAN" -> JSON.booleanNode(!zero && random.nextBoolean());
            case "INT8" -> JSON.numberNode(zero ? 0 : (byte) random.nextInt());
            case "INT16" -> JSON.numberNode(zero ? 0 : (short) number(16));
            case "INT32" -> JSON.numberNode(zero ? 0 : (int) number(32));
            case "INT64" -> JSON.numberNode(zero ? 0L : number(64));
            case "UINT16" -> JSON.numberNode(zero ? 0 : random.nextInt(1 << 16));
            case "UINT32" -> JSON.numberNode(zero ? 0L : random.nextLong(1L << 32));
            case "FLOAT64" -> JSON.numberNode(zero ? 0.0 : random.nextGaussian());
            case "UUID" -> JSON.textNode((zero ? Uuid.ZERO_UUID : new Uuid(random.nextLong(), random.nextLong())).toString());
            case "STRING", "COMPACT_STRING", "NULLABLE_STRING", "COMPACT_NULLABLE_STRING" ->
                JSON.textNode(zero ? "" : text());
            case "BYTES", "COMPACT_BYTES", "NULLABLE_BYTES", "COMPACT_NULLABLE_BYTES",
                "RECORDS", "COMPACT_RECORDS", "NULLABLE_RECORDS", "COMPACT_NULLABLE_RECORDS" ->
                JSON.binaryNode(bytes(zero ? 0 : random.nextInt(random.nextInt(20) == 0 ? 300 : 20)));
            default -> throw new IllegalArgumentException(type);
        };
    }

    /** A number of so many bits, in which small ones, -1 and the ends of the range are common. */
    private long number(int bits) {
        return switch (random.nextInt(5)) {
            case 0 -> -1;
            case 1 -> random.nextInt(100);
            case 2 -> (1L << (bits - 1)) - 1;
            case 3 -> -1L << (bits - 1);
            default -> random.nextLong() >> (64 - bits);
        };
    }

    /** Short text with characters of every UTF-8 length; now and then past 127 bytes, where a compact length grows. */
    private String text() {
        StringBuilder text = new StringBuilder();
        int length = mood == Mood.RANDOM && random.nextInt(40) == 0 ? 130 + random.nextInt(20) : random.nextInt(9);
        for (int at = 0; at < length; at++) {
            switch (random.nextInt(12)) {
                case 0 -> text.append('ß');
                case 1 -> text.append('木');
                case 2 -> text.appendCodePoint(0x1FAB5);
                default -> text.append((char) ('a' + random.nextInt(26)));
            }
        }
        return text.toString();
    }

    private byte[] bytes(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private static String camel(String snake) {
        StringBuilder camel = new StringBuilder();
        boolean upper = false;
        for (char letter : snake.toCharArray()) {
            if (letter == '_') {
                upper = true;
            } else {
                camel.append(upper ? Character.toUpperCase(letter) : letter);
                upper = false;
            }
        }
        return camel.toString();
    }
}
