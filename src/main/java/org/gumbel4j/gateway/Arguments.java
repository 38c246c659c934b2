package org.gumbel4j.gateway;

import java.util.HashMap;
import java.util.Locale;
import java.util.Map;
import org.gumbel4j.ElementType;
import org.gumbel4j.Layout;
import org.gumbel4j.Matrix;
import org.gumbel4j.Noise;

/**
 * The arguments of one operator call as text: {@code name=value} pairs separated by blanks, as in
 *
 * <pre>
 * logits=3:4096:float16:1:64:10:0:10:1 out=5:0:float16:1:64:10:0:10:1 tau=0.5 seed=7 stream=0 first_row=0
 * </pre>
 *
 * <p>A matrix is {@code segment:offset in bytes:element type:outer:inner:classes:outer stride:inner
 * stride:class stride}: sizes and strides in elements as {@link Layout} has them, the type as
 * {@link ElementType} names it in lower case. What has one element a row ({@code tau} for each row,
 * {@code dtau}, the result of {@code categorical}) has 1 class.
 *
 * <p>Integers are signed, so a seed of 2^63 or more arrives as a negative number of the same 64
 * bits. Decimal numbers are in a form that {@link Double#parseDouble} reads.
 */
final class Arguments implements Call {
  private final Map<String, String> values = new HashMap<>();
  private final Map<String, Matrix> matrices = new HashMap<>();
  private final long elements;

  Arguments(String text, Segments segments) {
    long sum = 0;
    for (String pair : text.split(" ")) {
      int equals = pair.indexOf('=');
      if (equals < 1) {
        throw new IllegalArgumentException("argument '" + pair + "': must be name=value");
      }
      String name = pair.substring(0, equals);
      String value = pair.substring(equals + 1);
      if (value.indexOf(':') >= 0) {
        Matrix matrix = matrix(name, value, segments);
        matrices.put(name, matrix);
        sum += matrix.rows() * matrix.classes();
      } else {
        values.put(name, value);
      }
    }
    elements = sum;
  }

  /** The elements of all matrices together: a measure of the work. */
  long elements() {
    return elements;
  }

  @Override
  public Matrix matrix(String name) {
    return present(matrices, name);
  }

  @Override
  public boolean isMatrix(String name) {
    return matrices.containsKey(name);
  }

  @Override
  public double number(String name) {
    return Double.parseDouble(present(values, name));
  }

  @Override
  public ElementType type(String name) {
    return type(name, present(values, name));
  }

  @Override
  public Noise noise() {
    return new Noise(integer("seed"), integer("stream"), integer("first_row"));
  }

  private long integer(String name) {
    return Long.parseLong(present(values, name));
  }

  private static Matrix matrix(String name, String value, Segments segments) {
    String[] parts = value.split(":");
    if (parts.length != 9) {
      throw new IllegalArgumentException(
          name
              + " = "
              + value
              + ": must be segment:offset:type:outer:inner:classes:outer stride:inner stride:class"
              + " stride");
    }
    long[] numbers = new long[parts.length];
    for (int i = 0; i < parts.length; i++) {
      numbers[i] = i == 2 ? 0 : Long.parseLong(parts[i]);
    }
    Layout layout =
        new Layout(numbers[3], numbers[4], numbers[5], numbers[6], numbers[7], numbers[8]);
    return new Matrix(segments.from(numbers[0], numbers[1]), type(name, parts[2]), layout);
  }

  private static ElementType type(String name, String value) {
    try {
      return ElementType.valueOf(value.toUpperCase(Locale.ROOT));
    } catch (IllegalArgumentException unknown) {
      throw new IllegalArgumentException(name + ": unknown element type " + value, unknown);
    }
  }

  private static <T> T present(Map<String, T> all, String name) {
    T value = all.get(name);
    if (value == null) {
      throw new IllegalArgumentException("argument '" + name + "' is missing");
    }
    return value;
  }
}
