package org.gumbel4j.gateway;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Calls that arrive as one, in a file as the shared memory. */
class BatchTest {
  /** The shape, seed, stream and first row of each call. */
  private static final long[][] CALLS = {{2, 3, 7, 0, 0}, {0, 9, 1, 1, 1}, {1, 5, -1, 4, 1L << 40}};

  private static final int ELEMENTS = 2 * 3 + 5;
  private static final int ROWS = 3;
  private static final int LOGITS = CALLS.length * 6 * Long.BYTES;
  private static final int OUT = LOGITS + ELEMENTS * Float.BYTES;
  private static final int SINGLE = OUT + ELEMENTS * Float.BYTES;
  private static final int BYTES = SINGLE + ELEMENTS * Float.BYTES;
  private static final String BATCH = "calls=1:0:int64:1:1:" + CALLS.length * 6 + ":0:0:1";

  @TempDir private Path folder;
  private Path file;
  private final EntryPoint entryPoint = new EntryPoint(2);

  @BeforeEach
  void writeCallsAndLogits() throws IOException {
    file = folder.resolve("segment");
    write(0f);
    assertEquals("done\t", entryPoint.map(1, file.toString(), BYTES));
  }

  private void write(float lastLogit) throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(BYTES).order(ByteOrder.nativeOrder());
    for (int call = 0; call < CALLS.length; call++) {
      for (long value : CALLS[call]) {
        bytes.putLong(value);
      }
      bytes.putLong(Double.doubleToRawLongBits(tau(call)));
    }
    for (int i = 1; i < ELEMENTS; i++) {
      bytes.putFloat(i % 4);
    }
    bytes.putFloat(lastLogit);
    Files.write(file, bytes.array());
  }

  @Test
  void softSamplesAreThoseOfSingleCalls() throws IOException {
    String operands = BATCH + flat(" logits", LOGITS, ELEMENTS) + flat(" out", OUT, ELEMENTS);
    assertEquals("done\t", entryPoint.submit(1, "soft", operands));
    int before = 0;
    for (int call = 0; call < CALLS.length; call++) {
      long[] of = CALLS[call];
      String shape = ":float32:1:" + of[0] + ":" + of[1] + ":0:" + of[1] + ":1";
      String single =
          "logits=1:" + (LOGITS + before) + shape + " out=1:" + (SINGLE + before) + shape;
      String key = " seed=" + of[2] + " stream=" + of[3] + " first_row=" + of[4];
      assertEquals(
          "done\t", entryPoint.submit(2 + call, "soft", single + key + " tau=" + tau(call)));
      before += (int) (of[0] * of[1]) * Float.BYTES;
    }
    byte[] written = Files.readAllBytes(file);
    assertEquals(
        Arrays.toString(Arrays.copyOfRange(written, SINGLE, BYTES)),
        Arrays.toString(Arrays.copyOfRange(written, OUT, SINGLE)));
  }

  @Test
  void anOperandMayHaveOneElementForEachRow() throws IOException {
    String out = flat(" out", OUT, ROWS).replace("float32", "int32");
    assertEquals(
        "done\t",
        entryPoint.submit(1, "categorical", BATCH + flat(" logits", LOGITS, ELEMENTS) + out));
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.nativeOrder());
    for (int row = 0; row < ROWS; row++) {
      int index = bytes.getInt(OUT + row * Integer.BYTES);
      assertTrue(index >= 0 && index < (row < 2 ? 3 : 5), "class " + index + " of row " + row);
    }
  }

  @Test
  void aRefusedRowIsCountedOverAllCalls() throws IOException {
    write(Float.NaN);
    String operands = BATCH + flat(" logits", LOGITS, ELEMENTS) + flat(" out", OUT, ELEMENTS);
    String reply = entryPoint.submit(1, "soft", operands);
    assertTrue(reply.startsWith("failed\trow\t2\t"), reply);
  }

  @Test
  void operandsOfOtherSizesAreRefused() {
    String logits = flat(" logits", LOGITS, ELEMENTS);
    for (String operands :
        new String[] {
          BATCH + logits + flat(" out", OUT, ELEMENTS - 1),
          BATCH + logits + flat(" out", OUT, ELEMENTS).replace(":0:0:1", ":0:0:2"),
          BATCH.replace("int64", "float64") + logits + flat(" out", OUT, ELEMENTS),
          BATCH.replace(":18:", ":17:") + logits + flat(" out", OUT, ELEMENTS),
        }) {
      String reply = entryPoint.submit(operands.hashCode(), "soft", operands);
      assertTrue(reply.startsWith("failed\targument"), operands + " gave " + reply);
    }
  }

  private static double tau(int call) {
    return 0.25 * (call + 1);
  }

  private static String flat(String name, int offset, int elements) {
    return name + "=1:" + offset + ":float32:1:1:" + elements + ":0:0:1";
  }
}
