// SPDX-License-Identifier: Apache-2.0
// Ask veraPDF whether files conform: java -cp JARS Validate.java FLAVOUR[,FLAVOUR] FILE...
// Prints "FILE FLAVOUR yes|no", and below a "no" the clauses that fail. Leaves with 1 if one does not conform.

import java.io.File;
import java.io.FileInputStream;
import java.util.Map;
import java.util.TreeMap;
import org.verapdf.gf.foundry.VeraGreenfieldFoundryProvider;
import org.verapdf.pdfa.Foundries;
import org.verapdf.pdfa.PDFAParser;
import org.verapdf.pdfa.PDFAValidator;
import org.verapdf.pdfa.flavours.PDFAFlavour;
import org.verapdf.pdfa.results.TestAssertion;
import org.verapdf.pdfa.results.ValidationResult;

public class Validate {
    public static void main(String[] arguments) throws Exception {
        VeraGreenfieldFoundryProvider.initialise();
        boolean all = true;
        for (int place = 1; place < arguments.length; place++) {
            for (String name : arguments[0].split(",")) {
                all &= conforms(arguments[place], name);
            }
        }
        System.exit(all ? 0 : 1);
    }

    private static boolean conforms(String path, String name) throws Exception {
        PDFAFlavour flavour = PDFAFlavour.byFlavourId(name);
        try (PDFAParser parser = Foundries.defaultInstance().createParser(new FileInputStream(path), flavour);
                PDFAValidator validator = Foundries.defaultInstance().createValidator(flavour, false)) {
            ValidationResult result = validator.validate(parser);
            System.out.println(new File(path).getName() + " " + name + " " + (result.isCompliant() ? "yes" : "no"));
            Map<String, String> failed = new TreeMap<>();
            for (TestAssertion one : result.getTestAssertions()) {
                if (one.getStatus() == TestAssertion.Status.FAILED) {
                    failed.put(one.getRuleId().getClause() + "-" + one.getRuleId().getTestNumber(), one.getMessage());
                }
            }
            failed.forEach((clause, message) -> System.out.println("    " + clause + " " + message));
            return result.isCompliant();
        }
    }
}
