package org.gumbel4j;

import static org.junit.jupiter.api.Assertions.assertFalse;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.stream.LongStream;
import java.util.stream.Stream;

/** Reads the golden files, whose own first lines describe their format. */
public final class Golden {
  private Golden() {}

  /** One case of a file: keys and their values. */
  public record Case(String name, Map<String, String[]> values) {
    public boolean has(String key) {
      return values.containsKey(key);
    }

    public String text(String key) {
      return String.join(" ", values.get(key));
    }

    public long integer(String key) {
      return integer(values.get(key)[0], key);
    }

    public double real(String key) {
      return Double.parseDouble(text(key));
    }

    public ElementType type() {
      return ElementType.valueOf(text("type").toUpperCase(Locale.ROOT));
    }

    public float[] floats(String key) {
      double[] values = doubles(key);
      float[] floats = new float[values.length];
      for (int i = 0; i < values.length; i++) {
        floats[i] = (float) values[i]; // exact: the file holds float32 values
      }
      return floats;
    }

    public double[] doubles(String key) {
      return Stream.of(tokens(key)).mapToDouble(Double::parseDouble).toArray();
    }

    public long[] integers(String key) {
      return LongStream.of(Stream.of(tokens(key)).mapToLong(text -> integer(text, key)).toArray())
          .toArray();
    }

    private String[] tokens(String key) {
      return values.getOrDefault(key, new String[0]);
    }

    private static long integer(String text, String key) {
      assertFalse(text.isEmpty(), key + " is empty");
      return text.startsWith("0x")
          ? Long.parseUnsignedLong(text.substring(2), 16)
          : Long.parseLong(text);
    }

    @Override
    public String toString() {
      return name;
    }
  }

  /** The cases of {@code golden/<operator>.txt}. */
  public static List<Case> cases(String operator) {
    List<Case> cases = new ArrayList<>();
    String resource = "/golden/" + operator + ".txt";
    try (InputStream file = Golden.class.getResourceAsStream(resource)) {
      for (String line : new String(file.readAllBytes(), StandardCharsets.UTF_8).split("\n")) {
        if (line.isBlank() || line.startsWith("#")) {
          continue;
        }
        String[] parts = line.split(" = ", 2);
        if (parts[0].equals("case")) {
          cases.add(new Case(operator + ": " + parts[1], new HashMap<>()));
        } else {
          cases.getLast().values().put(parts[0], parts[1].split(" "));
        }
      }
    } catch (IOException unreadable) {
      throw new UncheckedIOException(resource, unreadable);
    }
    assertFalse(cases.isEmpty(), resource + " holds no case");
    return cases;
  }
}
