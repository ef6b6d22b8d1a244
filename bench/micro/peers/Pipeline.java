import com.fasterxml.jackson.databind.ObjectMapper;
import java.util.HashMap;
import java.util.Map;
import java.util.Properties;
import org.apache.kafka.common.serialization.Deserializer;
import org.apache.kafka.common.serialization.Serde;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.Serializer;
import org.apache.kafka.streams.KafkaStreams;
import org.apache.kafka.streams.StreamsBuilder;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.kstream.Consumed;
import org.apache.kafka.streams.kstream.Produced;
import org.apache.kafka.streams.kstream.Repartitioned;
import org.apache.kafka.streams.processor.api.FixedKeyProcessor;
import org.apache.kafka.streams.processor.api.FixedKeyProcessorContext;
import org.apache.kafka.streams.processor.api.FixedKeyRecord;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Kafka Streams: re-keyed by resource, decided by a processor with a cached, logged RocksDB store.
 *
 * One stream thread for each core, as its documentation advises, and a heap of 512 MiB like the broker's. Everything
 * else is its default, but for the commit interval at least once: 1 s instead of 30 (exactly once keeps its 100 ms), so
 * that a run of some seconds has an end.
 */
public final class Pipeline {
    private static final int CAPACITY = 8;
    private static final String ROWS = "rows";

    public static final class Booking {
        public String booking_id;
        public String provider_id;
        public String product_id;
        public String slot;
        public int quantity;
        public double sent;

        String resource() {
            return provider_id + "/" + product_id;
        }
    }

    public static final class Row {
        public int held;
        public Map<String, Integer> bookings = new HashMap<>();
    }

    public record Answer(String booking_id, String resource, String slot, String outcome, int left, double sent) {}

    private static final class Decide implements FixedKeyProcessor<String, Booking, Answer> {
        private FixedKeyProcessorContext<String, Answer> context;
        private KeyValueStore<String, Row> rows;

        @Override
        public void init(FixedKeyProcessorContext<String, Answer> context) {
            this.context = context;
            this.rows = context.getStateStore(ROWS);
        }

        @Override
        public void process(FixedKeyRecord<String, Booking> record) {
            context.forward(record.withValue(decide(record.key(), record.value())));
        }

        private Answer decide(String resource, Booking asked) {
            String key = resource + "|" + asked.slot;
            Row row = rows.get(key);
            if (row == null) {
                row = new Row();
            }
            Integer before = row.bookings.get(asked.booking_id);
            if (before != null) {
                return new Answer(asked.booking_id, resource, asked.slot, "accepted", before, asked.sent);
            }
            int left = CAPACITY - row.held - asked.quantity;
            if (left < 0) {
                return new Answer(asked.booking_id, resource, asked.slot, "refused", CAPACITY - row.held, asked.sent);
            }
            row.held += asked.quantity;
            row.bookings.put(asked.booking_id, left);
            rows.put(key, row);
            return new Answer(asked.booking_id, resource, asked.slot, "accepted", left, asked.sent);
        }
    }

    private static <T> Serde<T> json(Class<T> type) {
        ObjectMapper mapper = new ObjectMapper();
        Serializer<T> serializer = (topic, value) -> {
            try {
                return value == null ? null : mapper.writeValueAsBytes(value);
            } catch (Exception error) {
                throw new IllegalArgumentException(error);
            }
        };
        Deserializer<T> deserializer = (topic, bytes) -> {
            try {
                return bytes == null ? null : mapper.readValue(bytes, type);
            } catch (Exception error) {
                throw new IllegalArgumentException(error);
            }
        };
        return Serdes.serdeFrom(serializer, deserializer);
    }

    public static void main(String[] arguments) {
        String bootstrap = arguments[0], run = arguments[1], source = arguments[2], output = arguments[4];
        Properties settings = new Properties();
        settings.put(StreamsConfig.APPLICATION_ID_CONFIG, run);
        settings.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, bootstrap);
        settings.put(StreamsConfig.STATE_DIR_CONFIG, arguments[5]);
        settings.put(StreamsConfig.PROCESSING_GUARANTEE_CONFIG, arguments[6]);
        settings.put(StreamsConfig.NUM_STREAM_THREADS_CONFIG, Runtime.getRuntime().availableProcessors());
        if (arguments[6].equals(StreamsConfig.AT_LEAST_ONCE)) {
            settings.put(StreamsConfig.COMMIT_INTERVAL_MS_CONFIG, 1000);
        }
        settings.put(StreamsConfig.consumerPrefix("auto.offset.reset"), "earliest");

        Serde<Booking> bookings = json(Booking.class);
        StreamsBuilder builder = new StreamsBuilder();
        builder.addStateStore(Stores.keyValueStoreBuilder(
                Stores.persistentKeyValueStore(ROWS), Serdes.String(), json(Row.class)).withCachingEnabled());
        builder.stream(source, Consumed.with(Serdes.String(), bookings))
                .selectKey((key, booking) -> booking.resource())
                .repartition(Repartitioned.<String, Booking>as("resource")
                        .withKeySerde(Serdes.String()).withValueSerde(bookings))
                .processValues(Decide::new, ROWS)
                .to(output, Produced.with(Serdes.String(), json(Answer.class)));

        KafkaStreams streams = new KafkaStreams(builder.build(), settings);
        Runtime.getRuntime().addShutdownHook(new Thread(streams::close));
        streams.start();
    }
}
