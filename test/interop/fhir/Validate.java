import ca.uhn.fhir.context.FhirContext;
import ca.uhn.fhir.context.support.DefaultProfileValidationSupport;
import ca.uhn.fhir.validation.FhirValidator;
import ca.uhn.fhir.validation.ResultSeverityEnum;
import ca.uhn.fhir.validation.SingleValidationMessage;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.hl7.fhir.common.hapi.validation.support.CommonCodeSystemsTerminologyService;
import org.hl7.fhir.common.hapi.validation.support.InMemoryTerminologyServerValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.PrePopulatedValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.SnapshotGeneratingValidationSupport;
import org.hl7.fhir.common.hapi.validation.support.ValidationSupportChain;
import org.hl7.fhir.common.hapi.validation.validator.FhirInstanceValidator;
import org.hl7.fhir.r4.model.Resource;

/**
 * Validates FHIR R4 resources: java Validate.java DEFINITIONS SAMPLES. Both are folders of JSON files; definitions are profiles,
 * value sets and code systems that samples may claim. One JVM for all of them: the first resource costs seconds, the next one
 * milliseconds. A line for each message: file, severity, place, text, parted by tabs. No network.
 */
public class Validate {
  public static void main(String[] args) throws Exception {
    FhirContext context = FhirContext.forR4();
    PrePopulatedValidationSupport definitions = new PrePopulatedValidationSupport(context);
    for (Path file : jsonFiles(args[0])) {
      definitions.addResource((Resource) context.newJsonParser().parseResource(Files.readString(file)));
    }
    ValidationSupportChain chain = new ValidationSupportChain(
      new DefaultProfileValidationSupport(context),
      definitions,
      new InMemoryTerminologyServerValidationSupport(context),
      new CommonCodeSystemsTerminologyService(context),
      new SnapshotGeneratingValidationSupport(context));
    FhirInstanceValidator module = new FhirInstanceValidator(chain);
    module.setErrorForUnknownProfiles(true);
    FhirValidator validator = context.newValidator();
    validator.registerValidatorModule(module);
    for (Path file : jsonFiles(args[1])) {
      for (SingleValidationMessage message : validator.validateWithResult(Files.readString(file)).getMessages()) {
        if (message.getSeverity() == ResultSeverityEnum.INFORMATION) continue;
        String text = message.getMessage().replaceAll("\\s+", " ");
        System.out.println(String.join("\t", file.getFileName().toString(), message.getSeverity().name(), message.getLocationString(), text));
      }
      System.out.println(file.getFileName() + "\tDONE\t\t");
    }
  }

  private static List<Path> jsonFiles(String folder) throws Exception {
    try (var files = Files.list(Path.of(folder))) {
      return files.filter(file -> file.toString().endsWith(".json")).sorted().toList();
    }
  }
}
