package org.gumbel4j.gateway;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import org.gumbel4j.ElementType;
import org.gumbel4j.GumbelSoftmax;
import org.gumbel4j.Layout;
import org.gumbel4j.Matrix;
import org.gumbel4j.Noise;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What Python can ask for, with a file as the shared memory. */
class EntryPointTest {
  private static final int ROWS = 3;
  private static final int CLASSES = 5;
  private static final int BYTES = ROWS * CLASSES * Float.BYTES;
  private static final String KEY = " seed=-1 stream=2 first_row=7";
  private static final Noise NOISE = new Noise(-1, 2, 7);

  @TempDir private Path folder;
  private Path file;
  private final EntryPoint entryPoint = new EntryPoint(2);

  @BeforeEach
  void mapTwoMatrices() throws IOException {
    file = folder.resolve("segment");
    Files.write(file, new byte[2 * BYTES]);
    assertEquals("done\t", entryPoint.map(1, file.toString(), 2 * BYTES));
  }

  @Test
  void gumbelIsWrittenIntoSharedMemory() throws IOException {
    String out = "out=1:" + BYTES + ":float32:1:" + ROWS + ":" + CLASSES + ":0:" + CLASSES + ":1";
    assertEquals("done\t", entryPoint.submit(1, "gumbel", out + KEY));
    assertEquals(bits(expected()), bits(written(BYTES)));
    assertEquals(bits(new float[ROWS * CLASSES]), bits(written(0)));
  }

  @Test
  void everyOperatorCanBeCalled() throws IOException {
    String shape = ":1:" + ROWS + ":" + CLASSES + ":0:" + CLASSES + ":1";
    String logits = "logits=1:0:float32" + shape;
    String out = " out=1:" + BYTES + ":float32" + shape;
    Files.write(file, new byte[10 * BYTES]);
    entryPoint.map(2, file.toString(), 10 * BYTES);
    String backward =
        String.join(
            " ",
            "sample=2:0:float32" + shape,
            "upstream=2:" + BYTES + ":float32" + shape,
            "dlogits=2:" + 2 * BYTES + ":float32" + shape,
            "tau=0.5");
    String[][] calls = {
      {"words", out.replace("float32", "int32").strip() + KEY},
      {"uniform", "type=float32 out=2:0:float64" + shape + KEY},
      {"gumbel", out.strip() + KEY},
      {"soft", logits + out + " tau=0.5" + KEY},
      {"hard", logits + out + KEY},
      {"categorical", logits + " out=1:" + BYTES + ":int32:1:" + ROWS + ":1:0:1:1" + KEY},
      {"vjp", backward},
      {"vjp", backward + " dtau=2:" + 3 * BYTES + ":float32:1:" + ROWS + ":1:0:1:1"},
    };
    for (int job = 0; job < calls.length; job++) {
      assertEquals("done\t", entryPoint.submit(job, calls[job][0], calls[job][1]), calls[job][0]);
    }
  }

  @Test
  void anAxisInTheMiddleAndHalfTypesAreReadAndWrittenInPlace() throws IOException {
    int inner = 2;
    int half = 2 * CLASSES * inner * Short.BYTES;
    Files.write(file, new byte[2 * BYTES]);
    String sizes = ":2:" + inner + ":" + CLASSES;
    String middle = sizes + ":" + CLASSES * inner + ":1:" + inner;
    String call = "logits=1:0:float16" + sizes + ":0:0:0 out=1:4:float16" + middle + " tau=0.5";
    assertEquals("done\t", entryPoint.submit(1, "soft", call + KEY));
    String taus = "tau=1:" + (BYTES - 16) + ":float32:2:" + inner + ":1:0:0:1";
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.nativeOrder());
    bytes.putFloat(BYTES - 16, 0.5f);
    Files.write(file, bytes.array());
    String again = call.replace("out=1:4", "out=1:" + BYTES).replace("tau=0.5", taus);
    assertEquals("done\t", entryPoint.submit(2, "soft", again + KEY));
    byte[] written = Files.readAllBytes(file);
    assertArrayEquals(
        Arrays.copyOfRange(written, 4, 4 + half), Arrays.copyOfRange(written, BYTES, BYTES + half));
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(2L * half, 8);
      MemorySegment zeros = memory.asSlice(half);
      Layout layout = Layout.axis(2, CLASSES, inner);
      Matrix logits = new Matrix(zeros, ElementType.FLOAT16, layout);
      Matrix out = new Matrix(memory, ElementType.FLOAT16, layout);
      GumbelSoftmax.onCallerThread().soft(logits, 0.5, NOISE, out);
      assertArrayEquals(
          memory.asSlice(0, half).toArray(ValueLayout.JAVA_BYTE),
          Arrays.copyOfRange(written, 4, 4 + half));
    }
  }

  @Test
  void timedCallsGiveNanosecondsAndTheSameNumbers() throws IOException {
    String out = "out=1:" + BYTES + ":float32:1:" + ROWS + ":" + CLASSES + ":0:" + CLASSES + ":1";
    String reply = entryPoint.time(1, "gumbel", out + KEY, 1000);
    assertTrue(reply.matches("done\t[1-9][0-9]*"), reply);
    assertEquals(reply, entryPoint.time(1, "gumbel", out + KEY, 1000));
    assertEquals(bits(expected()), bits(written(BYTES)));
    assertTrue(entryPoint.time(2, "sort", out + KEY, 1).startsWith("failed\targument"));
  }

  @Test
  void rowThatCannotBeSampledIsNamed() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(2 * BYTES).order(ByteOrder.nativeOrder());
    bytes.putFloat(2 * CLASSES * Float.BYTES, Float.NaN);
    Files.write(file, bytes.array());
    String shape = ":float32:1:" + ROWS + ":" + CLASSES + ":0:" + CLASSES + ":1";
    String reply =
        entryPoint.submit(1, "hard", "logits=1:0" + shape + " out=1:" + BYTES + shape + KEY);
    assertTrue(reply.startsWith("failed\trow\t2\t"), reply);
    assertEquals(reply, entryPoint.await(1, 0));
  }

  @Test
  void badRequestsAreArgumentFailures() {
    String shape = ":float32:1:" + ROWS + ":" + CLASSES + ":0:" + CLASSES + ":1";
    String[][] calls = {
      {"sort", "out=1:0" + shape + KEY},
      {"gumbel", "out=1:0" + shape},
      {"gumbel", "out=9:0" + shape + KEY},
      {"gumbel", "out=1:0:float8:1:1:1:1:1:1" + KEY},
      {"gumbel", "out=1:0:float32:1:1" + KEY},
      {"gumbel", "out=1:0:float32:1:2:1:0:0:1" + KEY},
      {"gumbel", "out=1:0:float32:1:2:1:0:-1:1" + KEY},
      {"gumbel", "out=1:" + (BYTES + 4) + shape + KEY},
      {"gumbel", "out" + KEY},
    };
    for (int job = 0; job < calls.length; job++) {
      String reply = entryPoint.submit(job, calls[job][0], calls[job][1]);
      assertTrue(reply.startsWith("failed\targument\t-1\t"), Arrays.toString(calls[job]) + reply);
    }
  }

  @Test
  void mappingAndUnmappingMayBeRepeated() {
    assertEquals("done\t", entryPoint.map(1, folder.resolve("other").toString(), 8));
    assertEquals("done\t", entryPoint.unmap("1,2"));
    assertEquals("done\t", entryPoint.unmap("1,2"));
    String reply = entryPoint.submit(1, "gumbel", "out=1:0:float32:1:1:1:0:1:1" + KEY);
    assertTrue(reply.contains("segment 1 is not mapped"), reply);
  }

  @Test
  void filesThatAreMissingOrTooSmallAreNotMapped() {
    String missing = entryPoint.map(5, folder.resolve("missing").toString(), 8);
    assertTrue(missing.startsWith("failed\tinternal\t-1\t"), missing);
    String small = entryPoint.map(5, file.toString(), 3 * BYTES);
    assertTrue(small.startsWith("failed\targument\t-1\t"), small);
    assertEquals(2 * BYTES, file.toFile().length());
  }

  @Test
  void probeReadsTheFirstBytes() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(2 * BYTES).order(ByteOrder.nativeOrder());
    Files.write(file, bytes.putLong(0, -42).array());
    assertEquals("done\t-42", entryPoint.probe(file.toString()));
  }

  @Test
  void descriptionNamesBackendAndVersions() {
    String description = entryPoint.describe();
    for (String name : new String[] {"version", "backend", "isa", "reason", "java", "vendor"}) {
      assertTrue(description.contains(name + "="), description);
    }
    assertTrue(description.endsWith("\nthreads=2"), description);
  }

  private float[] written(int offset) throws IOException {
    float[] values = new float[ROWS * CLASSES];
    ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file)).order(ByteOrder.nativeOrder());
    bytes.position(offset).slice().order(ByteOrder.nativeOrder()).asFloatBuffer().get(values);
    return values;
  }

  private static float[] expected() {
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment memory = arena.allocate(BYTES);
      Matrix out = Matrix.of(memory, ElementType.FLOAT32, ROWS, CLASSES);
      GumbelSoftmax.onCallerThread().gumbel(NOISE, out);
      return memory.toArray(ValueLayout.JAVA_FLOAT);
    }
  }

  private static String bits(float[] values) {
    StringBuilder hex = new StringBuilder();
    for (float value : values) {
      hex.append(Integer.toHexString(Float.floatToRawIntBits(value))).append(' ');
    }
    return hex.toString();
  }
}
