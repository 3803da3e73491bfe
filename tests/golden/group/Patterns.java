import com.google.re2j.Pattern;
import com.google.re2j.PatternSyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.StringJoiner;

/** What RE2/J makes of patterns, as lines for src/group/consumer/regex/tests.rs. Arguments: the golden file, the patterns. */
public class Patterns {
    public static void main(String[] arguments) throws Exception {
        List<String> head = Files.readAllLines(Path.of(arguments[0])).subList(0, 3);
        head.forEach(System.out::println);
        for (String pattern : Files.readAllLines(Path.of(arguments[1]))) {
            try {
                Pattern compiled = Pattern.compile(pattern);
                StringJoiner matched = new StringJoiner(" ");
                for (String name : head.get(2).split(" ")) if (compiled.matcher(name).matches()) matched.add(name);
                System.out.println("matches\t" + pattern + "\t" + matched);
            } catch (PatternSyntaxException refused) {
                System.out.println("refused\t" + pattern + "\t" + refused.getDescription());
            }
        }
    }
}
