package org.gumbel4j.gateway;

import static java.util.Map.entry;

import java.util.Map;
import java.util.TreeSet;
import org.gumbel4j.GumbelSoftmax;

/** The operators that Python can call, by name. A new operator is one line here. */
final class Operators {
  private static final Map<String, Operator> ALL =
      Map.ofEntries(
          entry("words", (s, a) -> s.words(a.noise(), a.matrix("out"))),
          entry("uniform", (s, a) -> s.uniform(a.type("type"), a.noise(), a.matrix("out"))),
          entry("gumbel", (s, a) -> s.gumbel(a.noise(), a.matrix("out"))),
          entry("soft", (s, a) -> s.soft(a.matrix("logits"), a.number("tau"), a.noise(), a.matrix("out"))),
          entry("hard", (s, a) -> s.hard(a.matrix("logits"), a.noise(), a.matrix("out"))),
          entry("categorical", (s, a) -> s.categorical(a.matrix("logits"), a.noise(), a.matrix("out"))),
          entry("vjp", (s, a) -> s.vjp(a.matrix("sample"), a.matrix("upstream"), a.number("tau"), a.matrix("dlogits"), a.matrix("dtau"))));

  private Operators() {}

  /** One operator, applied to the arguments of a call. */
  @FunctionalInterface
  interface Operator {
    void run(GumbelSoftmax sampler, Arguments arguments);
  }

  static Operator named(String name) {
    Operator operator = ALL.get(name);
    if (operator == null) {
      throw new IllegalArgumentException(
          "operator = " + name + ": must be one of " + new TreeSet<>(ALL.keySet()));
    }
    return operator;
  }
}
