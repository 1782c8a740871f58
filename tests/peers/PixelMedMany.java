import com.pixelmed.validate.DicomSRValidator;

/** Many structured reports by one validator: compiling its rules takes far longer than using them. */
public class PixelMedMany {
    public static void main(String[] paths) throws Exception {
        DicomSRValidator validator = new DicomSRValidator();
        validator.setOptionCheckTemplateID(true);
        for (String path : paths) {
            System.out.println("@@@ " + path);
            System.out.println(validator.validate(path));
        }
    }
}
